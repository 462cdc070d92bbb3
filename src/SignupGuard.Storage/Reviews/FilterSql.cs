using SignupGuard.Cel;
using SignupGuard.Core.Reviews;

namespace SignupGuard.Storage.Reviews;

/// <summary>How a field of filters is kept: an expression of the statement, and what its values are there.</summary>
internal abstract record FilterColumn
{
    private FilterColumn()
    {
    }

    public sealed record Text(string Sql) : FilterColumn;

    /// <summary>Words that are kept as numbers. A word that is none of them is no row's.</summary>
    public sealed record Word(string Sql, IReadOnlyDictionary<string, short> Numbers) : FilterColumn;

    public sealed record Whole(string Sql) : FilterColumn;

    public sealed record Real(string Sql) : FilterColumn;

    public sealed record Time(string Sql) : FilterColumn;

    public sealed record Flag(string Sql) : FilterColumn;

    /// <param name="Holds">Whether the list holds the text of a parameter; never null.</param>
    public sealed record Texts(Func<string, string> Holds) : FilterColumn;
}

/// <summary>
/// Writes a filter's condition as SQL: fields become the columns a search declares for them, constants become parameters. No text of a filter is in it.
/// </summary>
internal static class FilterSql
{
    /// <summary>No word's number: equals none, differs from all that are known.</summary>
    private const short NoWord = -1;

    public static string Of(IndexCondition condition, IReadOnlyDictionary<string, FilterColumn> columns, SqlParameters parameters) => condition switch
    {
        IndexCondition.All { Operands.Count: 0 } => "true",
        IndexCondition.Any { Operands.Count: 0 } => "false",
        IndexCondition.All all => $"({string.Join(" AND ", all.Operands.Select(operand => Of(operand, columns, parameters)))})",
        IndexCondition.Any any => $"({string.Join(" OR ", any.Operands.Select(operand => Of(operand, columns, parameters)))})",
        IndexCondition.Compare compare => Compare(columns[compare.Path], compare.Comparison, compare.Constant, parameters),
        IndexCondition.OneOf oneOf => OneOf(columns[oneOf.Path], oneOf, parameters),
        IndexCondition.Contains contains when columns[contains.Path] is FilterColumn.Texts texts => $"{(contains.IsNegated ? "NOT " : "")}{texts.Holds(parameters.Add(contains.Text))}",
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, "A condition without a form."),
    };

    /// <summary>
    /// The values that a field must have one of, so that a search may start from them; null when the condition leaves it open.
    /// </summary>
    public static IReadOnlyList<CelValue>? Wanted(IndexCondition condition, string path) => condition switch
    {
        IndexCondition.Compare { Comparison: CelComparison.Equal } compare when compare.Path == path => [compare.Constant],
        IndexCondition.OneOf { IsNegated: false } oneOf when oneOf.Path == path => oneOf.Constants,
        IndexCondition.All all => all.Operands.Select(operand => Wanted(operand, path)).FirstOrDefault(wanted => wanted is not null),
        _ => null,
    };

    /// <summary>Whether only signups that were flagged fulfil a condition: it asks of their case, or for a verdict that flags.</summary>
    public static bool ImpliesFlagged(IndexCondition condition) => condition switch
    {
        IndexCondition.Compare { Path: Verdict, Comparison: CelComparison.Equal } compare => compare.Constant.AsString() != Allow,
        IndexCondition.Compare { Path: Verdict } compare => compare.Constant.AsString() == Allow,
        IndexCondition.OneOf { Path: Verdict } oneOf => oneOf.Constants.Any(constant => constant.AsString() == Allow) == oneOf.IsNegated,
        IndexCondition.Compare compare => IsOfCase(compare.Path),
        IndexCondition.OneOf oneOf => IsOfCase(oneOf.Path),
        IndexCondition.All all => all.Operands.Any(ImpliesFlagged),
        IndexCondition.Any any => any.Operands.All(ImpliesFlagged),
        _ => false,
    };

    private const string Verdict = "decision.verdict";
    private const string Allow = "allow";

    private static bool IsOfCase(string path) => path.StartsWith("case.", StringComparison.Ordinal);

    private static string Compare(FilterColumn column, CelComparison comparison, in CelValue constant, SqlParameters parameters)
    {
        var symbol = comparison switch
        {
            CelComparison.Equal => "=",
            CelComparison.NotEqual => "<>",
            CelComparison.Less => "<",
            CelComparison.LessOrEqual => "<=",
            CelComparison.Greater => ">",
            CelComparison.GreaterOrEqual => ">=",
            _ => throw new ArgumentOutOfRangeException(nameof(comparison), comparison, "No comparison."),
        };
        return column switch
        {
            FilterColumn.Text text => $"{text.Sql} {symbol} {parameters.Add(constant.AsString())}",
            FilterColumn.Word word => $"{word.Sql} {symbol} {parameters.Add(Number(word, constant))}",
            FilterColumn.Whole whole => $"{whole.Sql} {symbol} {parameters.Add(constant.AsInt())}",
            FilterColumn.Real real => $"{real.Sql} {symbol} {parameters.Add(constant.AsDouble())}",
            FilterColumn.Time time => $"{time.Sql} {symbol} {parameters.Add(constant.AsTimestamp().ToUniversalTime())}",
            FilterColumn.Flag flag => $"{flag.Sql} {symbol} {parameters.Add(constant.AsBool())}",
            _ => throw new ArgumentOutOfRangeException(nameof(column), column, "Lists are not compared."),
        };
    }

    private static string OneOf(FilterColumn column, IndexCondition.OneOf oneOf, SqlParameters parameters)
    {
        var constants = oneOf.Constants;
        var (sql, values) = column switch
        {
            FilterColumn.Text text => (text.Sql, parameters.Add(constants.Select(constant => constant.AsString()).ToArray())),
            FilterColumn.Word word => (word.Sql, parameters.Add(constants.Select(constant => Number(word, constant)).ToArray())),
            FilterColumn.Whole whole => (whole.Sql, parameters.Add(constants.Select(constant => constant.AsInt()).ToArray())),
            FilterColumn.Real real => (real.Sql, parameters.Add(constants.Select(constant => constant.AsDouble()).ToArray())),
            FilterColumn.Time time => (time.Sql, parameters.Add(constants.Select(constant => constant.AsTimestamp().ToUniversalTime()).ToArray())),
            FilterColumn.Flag flag => (flag.Sql, parameters.Add(constants.Select(constant => constant.AsBool()).ToArray())),
            _ => throw new ArgumentOutOfRangeException(nameof(column), column, "Lists are not compared."),
        };
        // Of no constants at all, <> ALL would hold for what is not known, too.
        return oneOf.IsNegated ? $"({sql} IS NOT NULL AND {sql} <> ALL({values}))" : $"{sql} = ANY({values})";
    }

    private static short Number(FilterColumn.Word word, in CelValue constant) => word.Numbers.GetValueOrDefault(constant.AsString(), NoWord);
}
