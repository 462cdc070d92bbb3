using System.Globalization;
using System.Text.Json;

namespace SignupGuard.Cel.Tests.Conformance;

/// <summary>How one case of the suite went. <paramref name="Problem"/>: null when it passed.</summary>
internal sealed record ConformanceOutcome(string Section, string Path, string? Problem);

/// <summary>One case of CEL's conformance suite: a SimpleTest message in JSON.</summary>
internal sealed class ConformanceCase(string section, string path, JsonElement test)
{
    public string Section { get; } = section;

    public string Path { get; } = path;

    /// <summary>Names of the suite's protobuf definitions, which this language has none of.</summary>
    private static readonly string[] ProtobufNames = ["GlobalEnum", "TestAllTypes"];

    private sealed class Bindings : Dictionary<string, CelValue>;

    /// <summary>Something this language leaves out on purpose; the message says what.</summary>
    private sealed class UnsupportedException(string what) : Exception(what);

    public ConformanceOutcome Run()
    {
        try
        {
            return new ConformanceOutcome(Section, Path, Problem());
        }
        catch (UnsupportedException left)
        {
            return new ConformanceOutcome(Section, Path, left.Message);
        }
    }

    private string? Problem()
    {
        var source = test.GetProperty("expr").GetString()!;
        var isChecked = !(test.TryGetProperty("disableCheck", out var disable) && disable.GetBoolean());
        var (environment, bindings) = Environment();
        var compiled = environment.Compile(source, null, CelLimits.Default, isChecked);
        var issues = isChecked ? compiled.Issues : environment.Compile(source).Issues;
        if (issues.Any(issue => issue.Message.Contains("protobuf message", StringComparison.Ordinal))) throw new UnsupportedException("builds a protobuf message");
        if (compiled.Issues.Any(issue => ProtobufNames.Any(name => issue.Message.Contains($"`{name}", StringComparison.Ordinal)))) throw new UnsupportedException("names a protobuf enum");
        var expectsError = test.TryGetProperty("evalError", out _);
        if (compiled.Program is not { } program)
        {
            // A literal that a conversion can't read is refused on save: earlier than the suite asks, and an error all the same.
            return expectsError && compiled.Issues.All(issue => issue.Message.StartsWith("not a ", StringComparison.Ordinal)) ? null : $"refused: {compiled.Issues[0]}";
        }
        if (test.TryGetProperty("typedResult", out var typed) && typed.TryGetProperty("deducedType", out var deduced) && program.Type != Type(deduced)) return $"type {program.Type}";
        if (test.TryGetProperty("checkOnly", out var only) && only.GetBoolean()) return null;
        var actual = program.Evaluate(bindings);
        if (expectsError) return actual.IsError ? null : $"no error but {actual}";
        var expected = test.TryGetProperty("value", out var value) ? Value(value) : typed.ValueKind == JsonValueKind.Object ? Value(typed.GetProperty("result")) : CelValue.True;
        return IsSame(expected, actual) ? null : $"{actual}, not {expected}";
    }

    private (CelEnvironment<Bindings> Environment, Bindings Bindings) Environment()
    {
        var builder = CelEnvironment<Bindings>.Create();
        var bindings = new Bindings();
        if (test.TryGetProperty("bindings", out var bound))
        {
            foreach (var binding in bound.EnumerateObject()) bindings[binding.Name] = Value(binding.Value.GetProperty("value"));
        }
        if (test.TryGetProperty("typeEnv", out var declarations))
        {
            foreach (var declaration in declarations.EnumerateArray())
            {
                var name = declaration.GetProperty("name").GetString()!;
                if (declaration.TryGetProperty("ident", out var ident))
                {
                    builder.Field(name, Type(ident.GetProperty("type")), facts => facts.TryGetValue(name, out var value) ? value : CelValue.Error("unbound"), "");
                }
                else
                {
                    var overload = declaration.GetProperty("function").GetProperty("overloads").EnumerateArray().Single();
                    builder.Function(name, Type(overload.GetProperty("resultType")), [.. overload.GetProperty("params").EnumerateArray().Select(Type)], (_, _) => CelValue.Error("unbound"), "");
                }
            }
        }
        if (test.TryGetProperty("container", out var container)) builder.Container(container.GetString()!);
        return (builder.Build(), bindings);
    }

    private static CelType Type(JsonElement type)
    {
        var kind = type.EnumerateObject().Single();
        return kind.Name switch
        {
            "primitive" => kind.Value.GetString() switch
            {
                "BOOL" => CelType.Bool,
                "INT64" => CelType.Int,
                "UINT64" => CelType.Uint,
                "DOUBLE" => CelType.Double,
                "STRING" => CelType.String,
                _ => CelType.Bytes,
            },
            "null" => CelType.Null,
            "dyn" => CelType.Dyn,
            "wellKnown" when kind.Value.GetString() == "DURATION" => CelType.Duration,
            "wellKnown" when kind.Value.GetString() == "TIMESTAMP" => CelType.Timestamp,
            "messageType" when kind.Value.GetString() == "google.protobuf.Duration" => CelType.Duration,
            "messageType" when kind.Value.GetString() == "google.protobuf.Timestamp" => CelType.Timestamp,
            "listType" => CelType.List(Type(kind.Value.GetProperty("elemType"))),
            "mapType" => CelType.Map(Type(kind.Value.GetProperty("keyType")), Type(kind.Value.GetProperty("valueType"))),
            "typeParam" => CelType.Parameter(kind.Value.GetString()!),
            "abstractType" when kind.Value.GetProperty("name").GetString() == "optional_type" => CelType.Optional(Type(kind.Value.GetProperty("parameterTypes")[0])),
            "abstractType" => CelType.Opaque(kind.Value.GetProperty("name").GetString()!, [.. kind.Value.GetProperty("parameterTypes").EnumerateArray().Select(Type)]),
            _ => throw new UnsupportedException("reads a protobuf message or wrapper"),
        };
    }

    private static CelValue Value(JsonElement value)
    {
        var kind = value.EnumerateObject().Single();
        return kind.Name switch
        {
            "nullValue" => CelValue.Null,
            "boolValue" => CelValue.From(kind.Value.GetBoolean()),
            "int64Value" => CelValue.From(long.Parse(kind.Value.GetString()!, CultureInfo.InvariantCulture)),
            "uint64Value" => CelValue.From(ulong.Parse(kind.Value.GetString()!, CultureInfo.InvariantCulture)),
            "doubleValue" => CelValue.From(kind.Value.ValueKind == JsonValueKind.Number ? kind.Value.GetDouble() : double.Parse(kind.Value.GetString()!, CultureInfo.InvariantCulture)),
            "stringValue" => CelValue.From(kind.Value.GetString()!),
            "bytesValue" => CelValue.FromBytes(kind.Value.GetBytesFromBase64()),
            "typeValue" => TypeNamed(kind.Value.GetString()!),
            "listValue" => CelValue.From(kind.Value.TryGetProperty("values", out var items) ? items.EnumerateArray().Select(Value).ToArray() : []),
            "mapValue" => CelValue.FromPairs(
                kind.Value.TryGetProperty("entries", out var entries)
                    ? entries.EnumerateArray().ToDictionary(entry => Value(entry.GetProperty("key")), entry => Value(entry.GetProperty("value")))
                    : []),
            "objectValue" when kind.Value.GetProperty("@type").GetString() == "type.googleapis.com/google.protobuf.Duration" => Functions.Times.ParseDuration(kind.Value.GetProperty("value").GetString()!),
            "objectValue" when kind.Value.GetProperty("@type").GetString() == "type.googleapis.com/google.protobuf.Timestamp" => Functions.Times.ParseTimestamp(kind.Value.GetProperty("value").GetString()!),
            "enumValue" => throw new UnsupportedException("uses a protobuf enum as a type of its own"),
            _ => throw new UnsupportedException("reads a protobuf message or wrapper"),
        };
    }

    private static CelValue TypeNamed(string name) => CelValue.FromType(name switch
    {
        "list" => CelType.List(CelType.Dyn),
        "map" => CelType.Map(CelType.Dyn),
        _ => new[] { CelType.Bool, CelType.Int, CelType.Uint, CelType.Double, CelType.String, CelType.Bytes, CelType.Null, CelType.Type, CelType.Duration, CelType.Timestamp }.FirstOrDefault(type => type.Name == name)
            ?? throw new UnsupportedException("uses a protobuf enum or message as a type"),
    });

    /// <summary>Sameness of results: kinds count, and NaN is itself.</summary>
    private static bool IsSame(in CelValue expected, in CelValue actual)
    {
        if (expected.Kind != actual.Kind) return false;
        switch (expected.Kind)
        {
            case CelKind.Double:
                return expected.AsDouble().Equals(actual.AsDouble());
            case CelKind.List:
                var (left, right) = (expected.AsList(), actual.AsList());
                return left.Count == right.Count && Enumerable.Range(0, left.Count).All(i => IsSame(left[i], right[i]));
            case CelKind.Map:
                var (one, two) = (expected.AsEntries().ToList(), actual);
                return one.Count == two.Count && one.TrueForAll(entry => two.AsEntries().Any(other => IsSame(entry.Key, other.Key) && IsSame(entry.Value, other.Value)));
            default:
                return expected == actual;
        }
    }
}
