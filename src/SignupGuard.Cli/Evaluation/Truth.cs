using System.Text.Json;
using SignupGuard.Cli.Commands;

namespace SignupGuard.Cli.Evaluation;

/// <summary>What a signup really was.</summary>
internal readonly record struct TrueLabel(bool Fraud, string Group, string? Campaign);

/// <summary>The labels of a stream, by signup id.</summary>
internal static class Truth
{
    private const string Unnamed = "unnamed";

    /// <summary>Longer names are read, but each on its own.</summary>
    private const int SharedNameBytesMax = 128;

    /// <exception cref="InvalidDataException">A line is no label; the message names it.</exception>
    public static async Task<Dictionary<string, TrueLabel>> ReadAsync(string path, CancellationToken cancellation)
    {
        var labels = new Dictionary<string, TrueLabel>(StringComparer.Ordinal);
        // Few groups and campaigns, each on many lines: one text for all of a name.
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var file = File.OpenRead(path);
        await foreach (var line in JsonLines.ReadAsync(file, cancellation))
        {
            if (line.TooLong || !TryRead(line.Content, names, out var id, out var label))
                throw new InvalidDataException($"{path}, line {line.Number}: not a label (signup_id, label fraud or benign, family or population, campaign).");
            labels[id] = label;
        }
        return labels;
    }

    /// <summary>Unknown fields are passed over.</summary>
    private static bool TryRead(ReadOnlySpan<byte> utf8, Dictionary<string, string> names, out string id, out TrueLabel label)
    {
        var known = names.GetAlternateLookup<ReadOnlySpan<char>>();
        string? signupId = null, family = null, population = null, campaign = null;
        bool? fraud = null;
        (id, label) = ("", default);
        var json = new Utf8JsonReader(utf8);
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("signup_id"u8)) signupId = json.Read() ? json.GetString() : null;
                else if (json.ValueTextEquals("label"u8))
                {
                    if (!json.Read() || json.TokenType != JsonTokenType.String) return false;
                    fraud = json.ValueTextEquals("fraud"u8) ? true : json.ValueTextEquals("benign"u8) ? false : null;
                }
                else if (json.ValueTextEquals("family"u8)) family = Name(ref json);
                else if (json.ValueTextEquals("population"u8)) population = Name(ref json);
                else if (json.ValueTextEquals("campaign"u8)) campaign = Name(ref json);
                else json.Skip();
            }
            if (json.TokenType != JsonTokenType.EndObject || json.Read()) return false;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // No JSON, or a number where a text belongs; the caller names the line.
            return false;
        }
        if (signupId is null || fraud is null) return false;
        (id, label) = (signupId, new TrueLabel(fraud.Value, family ?? population ?? Unnamed, campaign));
        return true;

        string? Name(ref Utf8JsonReader reader)
        {
            if (!reader.Read() || reader.TokenType == JsonTokenType.Null) return null;
            if (reader.ValueIsEscaped || reader.ValueSpan.Length > SharedNameBytesMax) return reader.GetString();
            Span<char> text = stackalloc char[SharedNameBytesMax];
            var length = reader.CopyString(text);
            if (known.TryGetValue(text[..length], out var one)) return one;
            one = text[..length].ToString();
            names[one] = one;
            return one;
        }
    }

}
