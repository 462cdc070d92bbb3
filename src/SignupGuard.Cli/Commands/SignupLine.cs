using System.Text;
using System.Text.Json;
using Google.Protobuf;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.V1;

namespace SignupGuard.Cli.Commands;

/// <summary>Why a line is no signup. Never repeats a value.</summary>
internal sealed record LineProblem(string Message, IReadOnlyList<FieldViolation> Violations)
{
    /// <summary>In one line: the first violation, if the line was read at all.</summary>
    public override string ToString() => Violations.Count > 0 ? $"{Violations[0].Field}: {Violations[0].Code}" : Message;
}

/// <summary>A line of a file as a signup: proto JSON of one, alone or wrapped in a request.</summary>
internal static class SignupLine
{
    private const string NoSignup = "The line is no signup.";

    /// <summary>Null, with the reason, when the line is no signup. Bounds are for the service to check.</summary>
    public static Signup? Read(JsonLine line, out LineProblem? problem)
    {
        problem = null;
        if (line.TooLong)
        {
            problem = new LineProblem($"A line has at most {JsonLines.LineBytesMax:N0} bytes.", []);
            return null;
        }
        return SignupJson.TryRead(line.Content, out var signup) ? signup : ReadExactly(line.Content, out problem);
    }

    /// <summary>Slower: reads what few write, and tells what is wrong.</summary>
    private static Signup? ReadExactly(byte[] content, out LineProblem? problem)
    {
        problem = null;
        try
        {
            var wrapped = IsRequest(content);
            var violations = JsonShape.Check(wrapped ? ScreenSignupRequest.Descriptor : Signup.Descriptor, content);
            // A line may be the signup alone; its fields are named as in a request all the same.
            if (!wrapped) violations = [.. violations.Select(violation => violation with { Field = violation.Field.Length > 0 ? $"signup.{violation.Field}" : "signup" })];
            if (violations.Count > 0)
            {
                problem = new LineProblem(NoSignup, violations);
                return null;
            }
            var text = Encoding.UTF8.GetString(content);
            return wrapped ? JsonParser.Default.Parse<ScreenSignupRequest>(text).Signup ?? new Signup() : JsonParser.Default.Parse<Signup>(text);
        }
        catch (JsonException failure)
        {
            problem = new LineProblem(failure.Message, []);
        }
        catch (InvalidProtocolBufferException)
        {
            // Its message quotes the value.
            problem = new LineProblem(NoSignup, []);
        }
        return null;
    }

    private static bool IsRequest(byte[] content)
    {
        var reader = new Utf8JsonReader(content);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("signup")) return true;
                reader.Skip();
            }
            return false;
        }
        catch (JsonException)
        {
            // Told with its place by the check that follows.
            return false;
        }
    }
}

