using SignupGuard.Cel;

namespace SignupGuard.Core.Reviews;

/// <summary>
/// What of a filter a store answers by itself. A field that is missing (null there) fulfils no comparison, negated ones included, as in SQL:
/// negations are carried down to the comparisons, so that no store has to negate an unknown.
/// </summary>
public abstract record IndexCondition
{
    private IndexCondition()
    {
    }

    /// <summary>Fulfilled by every row when there are no operands.</summary>
    public sealed record All(IReadOnlyList<IndexCondition> Operands) : IndexCondition;

    /// <summary>Fulfilled by no row when there are no operands.</summary>
    public sealed record Any(IReadOnlyList<IndexCondition> Operands) : IndexCondition;

    /// <summary>Texts are only asked whether they are equal: their order is the store's own.</summary>
    public sealed record Compare(string Path, CelComparison Comparison, CelValue Constant) : IndexCondition;

    /// <param name="IsNegated">The field is known, and none of these.</param>
    public sealed record OneOf(string Path, IReadOnlyList<CelValue> Constants, bool IsNegated) : IndexCondition;

    /// <param name="IsNegated">The list lacks the text.</param>
    public sealed record Contains(string Path, string Text, bool IsNegated) : IndexCondition;
}

/// <summary>Finds the part of a condition that an index answers.</summary>
internal static class IndexSplit
{
    /// <summary>Integers up to here are the same as doubles.</summary>
    private const long ExactMax = 1L << 53;

    private static readonly IndexCondition Everything = new IndexCondition.All([]);

    /// <summary>A condition that every row fulfils which the outline is true of; exact when no other row does.</summary>
    public static (IndexCondition Condition, bool IsExact) Of(CelOutline outline) => When(outline, holds: true);

    // For a row on which the outline is true (holds), or false: an undecided operand makes neither, whichever operator is around it,
    // but for those of which another operand decides, and that one is asked too.
    private static (IndexCondition Condition, bool IsExact) When(CelOutline outline, bool holds) => outline switch
    {
        CelOutline.Not not => When(not.Operand, !holds),
        CelOutline.All all => Join(all.Operands, holds, every: holds),
        CelOutline.Any any => Join(any.Operands, holds, every: !holds),
        CelOutline.Flag flag when Type(flag.Path) == CelType.Bool => (new IndexCondition.Compare(flag.Path, CelComparison.Equal, CelValue.From(holds)), true),
        CelOutline.Compare compare when Answers(compare.Path, compare.Comparison, compare.Constant) =>
            (new IndexCondition.Compare(compare.Path, holds ? compare.Comparison : Negated(compare.Comparison), compare.Constant), true),
        CelOutline.OneOf oneOf when oneOf.Constants.All(constant => Answers(oneOf.Path, CelComparison.Equal, constant)) =>
            (new IndexCondition.OneOf(oneOf.Path, oneOf.Constants, !holds), true),
        CelOutline.Contains contains when Type(contains.Path)?.Kind == CelKind.List && contains.Constant.Kind == CelKind.String && IsStorable(contains.Constant.AsString()) =>
            (new IndexCondition.Contains(contains.Path, contains.Constant.AsString(), !holds), true),
        _ => (Everything, false),
    };

    private static (IndexCondition Condition, bool IsExact) Join(IReadOnlyList<CelOutline> operands, bool holds, bool every)
    {
        var parts = operands.Select(operand => When(operand, holds)).ToList();
        var isExact = parts.TrueForAll(part => part.IsExact);
        if (every) return (new IndexCondition.All([.. parts.Select(part => part.Condition).Where(condition => condition != Everything)]), isExact);
        return parts.Exists(part => part.Condition == Everything) ? (Everything, false) : (new IndexCondition.Any([.. parts.Select(part => part.Condition)]), isExact);
    }

    private static CelType? Type(string path) => FilterFields.Indexable.GetValueOrDefault(path);

    private static bool Answers(string path, CelComparison comparison, in CelValue constant) => Type(path)?.Kind switch
    {
        CelKind.String => constant.Kind == CelKind.String && comparison is CelComparison.Equal or CelComparison.NotEqual && IsStorable(constant.AsString()),
        CelKind.Bool => constant.Kind == CelKind.Bool && comparison is CelComparison.Equal or CelComparison.NotEqual,
        CelKind.Int => constant.Kind == CelKind.Int,
        CelKind.Double => constant.Kind == CelKind.Double ? double.IsFinite(constant.AsDouble()) : constant.Kind == CelKind.Int && Math.Abs((decimal)constant.AsInt()) <= ExactMax,
        // Stores keep microseconds: what is finer is asked of each row.
        CelKind.Timestamp => constant.Kind == CelKind.Timestamp
            && constant.AsTimestamp() is var time && time.Ticks % TimeSpan.TicksPerMicrosecond == 0 && CelValue.From(time).Equals(constant),
        _ => false,
    };

    /// <summary>PostgreSQL keeps no U+0000, and no half of a surrogate pair.</summary>
    private static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0') return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }
        return true;
    }

    private static CelComparison Negated(CelComparison comparison) => comparison switch
    {
        CelComparison.Equal => CelComparison.NotEqual,
        CelComparison.NotEqual => CelComparison.Equal,
        CelComparison.Less => CelComparison.GreaterOrEqual,
        CelComparison.LessOrEqual => CelComparison.Greater,
        CelComparison.Greater => CelComparison.LessOrEqual,
        CelComparison.GreaterOrEqual => CelComparison.Less,
        _ => throw new ArgumentOutOfRangeException(nameof(comparison), comparison, "No comparison."),
    };
}
