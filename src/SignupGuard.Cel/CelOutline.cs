namespace SignupGuard.Cel;

/// <summary>How a field is compared with a constant.</summary>
public enum CelComparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>
/// What a condition asks of the fields, as far as an index could answer it: for those who search by conditions. It says neither more nor less than
/// the condition; what has no other form here is <see cref="Opaque"/>.
/// </summary>
public abstract record CelOutline
{
    private CelOutline()
    {
    }

    /// <summary>Operands joined by <c>&amp;&amp;</c>.</summary>
    public sealed record All(IReadOnlyList<CelOutline> Operands) : CelOutline;

    /// <summary>Operands joined by <c>||</c>.</summary>
    public sealed record Any(IReadOnlyList<CelOutline> Operands) : CelOutline;

    public sealed record Not(CelOutline Operand) : CelOutline;

    /// <summary>A field with a constant to the right of it; turned round where the condition has it to the left.</summary>
    public sealed record Compare(string Path, CelComparison Comparison, CelValue Constant) : CelOutline;

    /// <summary><c>field in [constants]</c>.</summary>
    public sealed record OneOf(string Path, IReadOnlyList<CelValue> Constants) : CelOutline;

    /// <summary><c>constant in field</c>.</summary>
    public sealed record Contains(string Path, CelValue Constant) : CelOutline;

    /// <summary>A field that is a condition by itself.</summary>
    public sealed record Flag(string Path) : CelOutline;

    /// <summary>Anything else.</summary>
    public sealed record Opaque : CelOutline
    {
        internal static readonly Opaque It = new();
    }
}
