namespace SignupGuard.Cel;

/// <summary>Bounds on what an expression may ask for. Over a bound the expression is refused, with the bound named.</summary>
public sealed record CelLimits
{
    public static readonly CelLimits Default = new();

    /// <summary>UTF-16 code units of source.</summary>
    public int LengthMax { get; init; } = 8_192;

    /// <summary>Nesting of operators, calls, members, lists and parentheses: keeps every stack bounded.</summary>
    public int DepthMax { get; init; } = 96;

    /// <summary>Items of one list literal, entries of one map literal.</summary>
    public int ItemsMax { get; init; } = 1_000;

    /// <summary>Code units of one regular expression. Expressions run on the non-backtracking engine, so time is linear in the input.</summary>
    public int PatternLengthMax { get; init; } = 512;

    /// <summary>Characters and classes of one regular expression with its counted repeats written out.</summary>
    public int PatternSizeMax { get; init; } = 256;

    /// <summary>Regular expressions in one expression.</summary>
    public int PatternsMax { get; init; } = 16;

    /// <summary>Comprehensions (all, exists, map …) inside one another.</summary>
    public int ComprehensionDepthMax { get; init; } = 3;

    /// <summary>
    /// Work of one evaluation: an operation inside a comprehension, an item or a character that is built or read through counts 1.
    /// Estimated on save, where over it the expression is refused, and counted at evaluation, where over it the result is an error.
    /// </summary>
    public int WorkMax { get; init; } = 100_000;

    /// <summary>Characters of the longest text, or items of the largest list or map with all that it holds, that an expression may build.</summary>
    public int BuiltMax { get; init; } = 16_384;

    /// <summary>Items a list or map among the facts is taken to have when work is estimated.</summary>
    public int ItemsAssumed { get; init; } = 100;

    /// <summary>Issues reported for one expression.</summary>
    public int IssuesMax { get; init; } = 20;
}

/// <summary>Why an expression is refused.</summary>
/// <param name="Position">Offset in the source, UTF-16 code units.</param>
/// <param name="Column">1-based.</param>
/// <param name="Suggestion">What was probably meant, if anything is near.</param>
public sealed record CelIssue(int Position, int Line, int Column, string Message, string? Suggestion)
{
    public override string ToString() => $"{Line}:{Column}: {Message}{(Suggestion is null ? "" : $"; did you mean `{Suggestion}`?")}";
}
