using System.Text;
using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel;

/// <summary>One function or macro of the language, for the generated reference.</summary>
/// <param name="Signatures">As CEL writes them: <c>string.charAt(int): string</c>.</param>
public sealed record CelReferenceEntry(string Name, IReadOnlyList<string> Signatures, string Description);

/// <summary>The language described from the tables it is compiled by, so that a reference made of it can't drift.</summary>
public static class CelReference
{
    /// <summary>The functions every environment has.</summary>
    public static IReadOnlyList<CelReferenceEntry> Functions { get; } =
    [
        .. Library.All.Select(function => new CelReferenceEntry(function.Name, [.. function.Signatures.Select(signature => function.IsVariadic ? Variadic(signature.Text) : signature.Text)], function.Description)),
        new("matches", ["string.matches(string): bool", "matches(string, string): bool"], "Whether a regular expression (RE2) is found in a text. The pattern is a literal."),
        new("or", ["optional(T).or(optional(T)): optional(T)"], "The optional, or another where it holds nothing."),
        new("orValue", ["optional(T).orValue(T): T"], "What the optional holds, or a value where it holds nothing."),
    ];

    /// <summary>What looks like a function and binds names or asks about them.</summary>
    public static IReadOnlyList<CelReferenceEntry> Macros { get; } =
    [
        new("has", ["has(field)"], "Whether a fact is known, or a map has a key. Of a missing fact false, never undecided."),
        new("all", ["list.all(x, condition)", "list.all(index, x, condition)", "map.all(key, value, condition)"], "Whether the condition holds for each item."),
        new("exists", ["list.exists(x, condition)", "list.exists(index, x, condition)", "map.exists(key, value, condition)"], "Whether it holds for any."),
        new("exists_one", ["list.exists_one(x, condition)", "list.existsOne(index, x, condition)"], "Whether it holds for exactly one."),
        new("filter", ["list.filter(x, condition)"], "The items for which it holds."),
        new("map", ["list.map(x, value)", "list.map(x, condition, value)"], "A value for each item, or for each for which the condition holds."),
        new("transformList", ["list.transformList(index, x, value)", "map.transformList(key, value, condition, value)"], "The same with both variables."),
        new("transformMap", ["map.transformMap(key, value, value)", "map.transformMap(key, value, condition, value)"], "A map with the same keys and other values."),
        new("transformMapEntry", ["map.transformMapEntry(key, value, {key: value})"], "A map with other keys and values."),
        new("optMap", ["optional.optMap(x, value)"], "A value of what an optional holds, as an optional."),
        new("optFlatMap", ["optional.optFlatMap(x, optional)"], "The same where the value is an optional already."),
        new("cel.bind", ["cel.bind(x, value, expression)"], "The expression with a name for a value that it uses more than once."),
    ];

    /// <summary>A table of an environment's fields, and one of its functions.</summary>
    public static string Markdown(IEnumerable<CelFieldInfo> fields, IEnumerable<CelFunctionInfo> functions)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(functions);
        var text = new StringBuilder("| field | type | |\n|---|---|---|\n");
        foreach (var field in fields) text.Append(Row(Code(field.Path), field.Type.ToString(), field.Description));
        var calls = functions.ToList();
        if (calls.Count == 0) return text.ToString();
        text.Append("\n| function | |\n|---|---|\n");
        foreach (var function in calls) text.Append(Row(Code(function.ToString()), function.Description));
        return text.ToString();
    }

    /// <summary>A table of functions or macros.</summary>
    public static string Markdown(IEnumerable<CelReferenceEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var text = new StringBuilder("| | |\n|---|---|\n");
        foreach (var entry in entries) text.Append(Row(string.Join("<br>", entry.Signatures.Select(Code)), entry.Description));
        return text.ToString();
    }

    private static string Variadic(string signature) => signature.Replace("(dyn)", "(number, …)", StringComparison.Ordinal).Replace(": dyn", ": number", StringComparison.Ordinal);

    private static string Code(string text) => $"`{text}`";

    private static string Row(params ReadOnlySpan<string> cells)
    {
        var row = new StringBuilder("|");
        foreach (var cell in cells) row.Append(' ').Append(cell.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |");
        return row.Append('\n').ToString();
    }
}
