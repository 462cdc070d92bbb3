using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>
/// Checks that JSON is a message of the contract, before it is read as one: the readers stop at the first fault, quote the value and
/// don't name the field, and one of them passes over fields it does not know, so that a slip of the pen is a missing signal.
/// </summary>
public static class JsonShape
{
    private const int DepthMax = 16;
    private const int FieldNameCharactersMax = 64;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DepthMax };

    /// <summary>Faults of form: unknown fields, wrong types, unknown enumeration values, broken times. Bounds are for <see cref="RequestValidation"/>.</summary>
    /// <returns>Empty when the JSON can be read as the message.</returns>
    /// <exception cref="JsonException">It is no JSON. The message tells the place and nothing else.</exception>
    public static IReadOnlyList<FieldViolation> Check(MessageDescriptor message, ReadOnlyMemory<byte> utf8)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, Options);
        }
        catch (JsonException failure)
        {
            throw new JsonException($"No JSON: line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}.");
        }
        using (document)
        {
            var violations = new List<FieldViolation>();
            CheckMessage(message, document.RootElement, "", violations);
            return violations;
        }
    }

    private static void CheckMessage(MessageDescriptor message, JsonElement json, string path, List<FieldViolation> violations)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            violations.Add(new FieldViolation(path, ViolationCode.InvalidType, "An object."));
            return;
        }
        HashSet<OneofDescriptor>? given = null;
        foreach (var property in json.EnumerateObject())
        {
            if (NameOf(property) is not { } name || Field(message, name) is not { } field)
            {
                violations.Add(new FieldViolation(Below(path, NameOf(property)), ViolationCode.UnknownField, $"{message.Name} has no field of this name."));
                continue;
            }
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            if (field.RealContainingOneof is { } choice && !(given ??= []).Add(choice))
                violations.Add(new FieldViolation(path, ViolationCode.InvalidType, $"One value only: {string.Join(", ", choice.Fields.Select(one => one.Name))}."));
            CheckField(field, property.Value, Join(path, field.Name), violations);
        }
    }

    private static void CheckField(FieldDescriptor field, JsonElement json, string path, List<FieldViolation> violations)
    {
        if (field.IsMap)
        {
            if (json.ValueKind != JsonValueKind.Object)
            {
                violations.Add(new FieldViolation(path, ViolationCode.InvalidType, "An object."));
                return;
            }
            var value = field.MessageType.FindFieldByNumber(2);
            foreach (var entry in json.EnumerateObject())
            {
                if (NameOf(entry) is null) violations.Add(new FieldViolation(path, ViolationCode.InvalidCharacters, "Text is Unicode without halves of surrogate pairs."));
                else CheckValue(value, entry.Value, Below(path, NameOf(entry)), violations);
            }
        }
        else if (field.IsRepeated)
        {
            if (json.ValueKind != JsonValueKind.Array)
            {
                violations.Add(new FieldViolation(path, ViolationCode.InvalidType, "An array."));
                return;
            }
            var index = 0;
            foreach (var element in json.EnumerateArray()) CheckValue(field, element, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), violations);
        }
        else
        {
            CheckValue(field, json, path, violations);
        }
    }

    private static void CheckValue(FieldDescriptor field, JsonElement json, string path, List<FieldViolation> violations)
    {
        FieldViolation? violation = field.FieldType switch
        {
            FieldType.Message when field.MessageType == Timestamp.Descriptor => IsTimestamp(json)
                ? null
                : new FieldViolation(path, ViolationCode.InvalidTimestamp, "A time by RFC 3339 (\"2026-01-31T12:00:00Z\")."),
            FieldType.Message => Nested(),
            FieldType.Enum => IsEnum(field.EnumType, json) ? null : new FieldViolation(path, ViolationCode.UnknownEnumValue, $"A value of {field.EnumType.Name}."),
            FieldType.String => json.ValueKind != JsonValueKind.String ? new FieldViolation(path, ViolationCode.InvalidType, "A string.")
                : TextOf(json) is null ? new FieldViolation(path, ViolationCode.InvalidCharacters, "Text is Unicode without halves of surrogate pairs.")
                : null,
            FieldType.Bool => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : new FieldViolation(path, ViolationCode.InvalidType, "true or false."),
            FieldType.Double => IsNumber(json) ? null : new FieldViolation(path, ViolationCode.InvalidType, "A number."),
            FieldType.UInt32 => IsInteger(json, 0, uint.MaxValue) ? null : new FieldViolation(path, ViolationCode.InvalidType, "A whole number that is not negative."),
            FieldType.Int64 => IsInteger(json, long.MinValue, long.MaxValue) ? null : new FieldViolation(path, ViolationCode.InvalidType, "A whole number."),
            FieldType.SInt32 or FieldType.Int32 => IsInteger(json, int.MinValue, int.MaxValue) ? null : new FieldViolation(path, ViolationCode.InvalidType, "A whole number."),
            _ => throw new NotSupportedException($"Fields of type {field.FieldType} are not part of any request yet."),
        };
        if (violation is not null) violations.Add(violation);

        FieldViolation? Nested()
        {
            CheckMessage(field.MessageType, json, path, violations);
            return null;
        }
    }

    private static FieldDescriptor? Field(MessageDescriptor message, string name) =>
        message.Fields.InDeclarationOrder().FirstOrDefault(field => field.JsonName == name || field.Name == name);

    private static bool IsTimestamp(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.String) return false;
        try
        {
            JsonParser.Default.Parse<Timestamp>(json.GetRawText());
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static bool IsEnum(EnumDescriptor type, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => TextOf(json) is { } name && type.FindValueByName(name) is not null,
        JsonValueKind.Number => json.TryGetInt32(out _),
        _ => false,
    };

    private static bool IsNumber(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Number => json.TryGetDouble(out var number) && double.IsFinite(number),
        JsonValueKind.String => TextOf(json) is "NaN" or "Infinity" or "-Infinity" || double.TryParse(TextOf(json), NumberStyles.Float, CultureInfo.InvariantCulture, out _),
        _ => false,
    };

    private static bool IsInteger(JsonElement json, long min, long max) => json.ValueKind switch
    {
        JsonValueKind.Number => json.TryGetInt64(out var number) && number >= min && number <= max,
        JsonValueKind.String => long.TryParse(TextOf(json), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max,
        _ => false,
    };

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Null for half of a surrogate pair, which no text can hold.</summary>
    private static string? TextOf(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A name that is no name could be anything, so it is not repeated.</summary>
    private static string Below(string path, string? name) =>
        name is { Length: > 0 and <= FieldNameCharactersMax } && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-') ? Join(path, name) : path;

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
