namespace SignupGuard.Cel.Functions;

/// <summary>How a function is called and what it gives, read from CEL's own notation: <c>string.charAt(int): string</c>.</summary>
internal sealed record Signature(string Name, bool IsMember, IReadOnlyList<CelType> Parameters, CelType Result, string Text)
{
    /// <param name="text">A type before the dot is what a member is called on, another name is the function's namespace.</param>
    public static Signature Read(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var receiverEnd = text.LastIndexOf('.', open);
        // A receiver with type arguments, list(T).size(), has its own parenthesis first.
        if (text[..open] is "list" or "map" or "optional")
        {
            receiverEnd = Matching(text, open) + 1;
            open = text.IndexOf('(', receiverEnd);
        }
        var close = Matching(text, open);
        var receiver = receiverEnd > 0 ? text[..receiverEnd] : "";
        var isMember = receiver.Length > 0 && !IsNamespace(receiver);
        var parameters = Split(text[(open + 1)..close]).Select(Type).ToList();
        if (isMember) parameters.Insert(0, Type(receiver));
        var name = isMember ? text[(receiverEnd + 1)..open] : text[..open];
        return new Signature(name, isMember, parameters, Type(text[(close + 1)..].TrimStart(':', ' ')), text);
    }

    private static bool IsNamespace(string receiver) => receiver is "math" or "optional" or "strings" or "base64";

    private static int Matching(string text, int open)
    {
        var depth = 0;
        for (var at = open; at < text.Length; at++)
        {
            if (text[at] == '(') depth++;
            if (text[at] == ')' && --depth == 0) return at;
        }
        throw new FormatException($"No signature: {text}.");
    }

    private static IEnumerable<string> Split(string arguments)
    {
        var (depth, from) = (0, 0);
        for (var at = 0; at <= arguments.Length; at++)
        {
            if (at == arguments.Length || (arguments[at] == ',' && depth == 0))
            {
                if (arguments[from..at].Trim() is { Length: > 0 } argument) yield return argument;
                from = at + 1;
            }
            else if (arguments[at] == '(')
            {
                depth++;
            }
            else if (arguments[at] == ')')
            {
                depth--;
            }
        }
    }

    private static CelType Type(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        if (open > 0)
        {
            var arguments = Split(text[(open + 1)..^1]).Select(Type).ToArray();
            return text[..open] switch
            {
                "list" => CelType.List(arguments[0]),
                "map" => CelType.Map(arguments[0], arguments[1]),
                "optional" => CelType.Optional(arguments[0]),
                _ => throw new FormatException($"No type: {text}."),
            };
        }
        return text switch
        {
            "bool" => CelType.Bool,
            "int" => CelType.Int,
            "uint" => CelType.Uint,
            "double" => CelType.Double,
            "string" => CelType.String,
            "bytes" => CelType.Bytes,
            "duration" => CelType.Duration,
            "timestamp" => CelType.Timestamp,
            "type" => CelType.Type,
            "dyn" => CelType.Dyn,
            [>= 'A' and <= 'Z'] => CelType.Parameter(text),
            _ => throw new FormatException($"No type: {text}."),
        };
    }
}
