using SignupGuard.Cel;

namespace SignupGuard.Core.Reviews;

/// <summary>A filter over signups and cases, ready to search by. Immutable and thread-safe.</summary>
public sealed class ReviewFilter
{
    /// <summary>UTF-16 code units.</summary>
    public const int LengthMax = 4_096;

    public const int DepthMax = 48;

    /// <summary>Rows that one call asks the rest of the filter of.</summary>
    public const int RowsExaminedMax = 5_000;

    private static readonly CelLimits Limits = CelLimits.Default with { LengthMax = LengthMax, DepthMax = DepthMax };

    private readonly CelProgram<ReviewRow>? _program;

    private ReviewFilter(IndexCondition index, bool isExact, CelProgram<ReviewRow>? program)
    {
        Index = index;
        IsExact = isExact;
        _program = program;
    }

    /// <summary>Matches every row.</summary>
    public static ReviewFilter Everything { get; } = new(new IndexCondition.All([]), isExact: true, program: null);

    /// <summary>Fulfilled by every row that matches: what the store is asked.</summary>
    public IndexCondition Index { get; }

    /// <summary>Whether a row that fulfils <see cref="Index"/> matches: nothing is left to ask of it, and its facts need not be read.</summary>
    public bool IsExact { get; }

    /// <summary>Whether the row matches. A condition that can't be decided, for a fact is missing, does not.</summary>
    public bool Matches(ReviewRow row) => _program?.Evaluate(row).IsTrue ?? true;

    /// <summary>Reads a filter. Empty and blank: <see cref="Everything"/>.</summary>
    /// <param name="environment">Of <see cref="FilterFields.For"/>.</param>
    /// <returns>The filter, or what is wrong with it, each with place and suggestion. Never throws, whatever the source.</returns>
    public static (ReviewFilter? Filter, IReadOnlyList<CelIssue> Issues) Read(string source, CelEnvironment<ReviewRow> environment)
    {
        if (string.IsNullOrWhiteSpace(source)) return (Everything, []);
        var (program, issues) = environment.Compile(source, CelType.Bool, Limits);
        if (program is null) return (null, issues);
        var (index, isExact) = IndexSplit.Of(environment.Outline(source, Limits));
        return (new ReviewFilter(index, isExact, program), []);
    }
}
