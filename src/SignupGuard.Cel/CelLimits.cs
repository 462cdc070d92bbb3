namespace SignupGuard.Cel;

/// <summary>Bounds on what an expression may ask for. Over a bound the expression is refused, with the bound named.</summary>
public sealed record CelLimits
{
    public static readonly CelLimits Default = new();

    /// <summary>UTF-16 code units of source.</summary>
    public int LengthMax { get; init; } = 8_192;

    /// <summary>Nesting of parentheses, operators, calls and members: keeps the parser's stack bounded.</summary>
    public int DepthMax { get; init; } = 96;

    /// <summary>Items of one list literal.</summary>
    public int ListItemsMax { get; init; } = 1_000;

    /// <summary>Code units of one regular expression. Expressions run on the non-backtracking engine, so time is linear in the input.</summary>
    public int PatternLengthMax { get; init; } = 512;

    /// <summary>Comprehensions (all, exists, map …) inside one another.</summary>
    public int ComprehensionDepthMax { get; init; } = 3;

    /// <summary>Comprehension steps of one evaluation; over it the result is an error.</summary>
    public int StepsMax { get; init; } = 10_000;
}

/// <summary>Why an expression is refused.</summary>
/// <param name="Position">Offset in the source, UTF-16 code units.</param>
/// <param name="Column">1-based.</param>
/// <param name="Suggestion">What was probably meant, if anything is near.</param>
public sealed record CelIssue(int Position, int Line, int Column, string Message, string? Suggestion)
{
    public override string ToString() => $"{Line}:{Column}: {Message}{(Suggestion is null ? "" : $"; did you mean `{Suggestion}`?")}";
}
