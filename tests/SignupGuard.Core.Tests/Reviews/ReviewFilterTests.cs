using CsCheck;
using SignupGuard.Cel;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Reviews;

namespace SignupGuard.Core.Tests.Reviews;

/// <summary>What of a filter an index answers, against what the filter says of each row.</summary>
public sealed class ReviewFilterTests
{
    private static readonly CelEnvironment<ReviewRow> Environment =
        FilterFields.For(PolicyReader.Read(DefaultPolicy.Yaml, version: 1).Policy!.Linkage.Rules);

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Comparisons of every field that an index may answer, with constants of every kind that is allowed, and others that none answers.
    private static readonly string[] Leaves =
    [
        "signup.id == 'a'", "signup.id != 'a'", "signup.id in ['a', 'b']", "signup.id in []", "'b' == signup.id", "signup.id < 'b'", "signup.id == 'a\\u0000'", "signup.id.startsWith('a')",
        "signup.recorded_at < timestamp('2026-01-01T00:00:02Z')", "signup.recorded_at >= timestamp('2026-01-01T00:00:01.000000500Z')", "signup.recorded_at == timestamp('2026-01-01T00:00:01.000000050Z')",
        "timestamp('2026-01-01T00:00:01Z') <= signup.recorded_at", "signup.recorded_at + duration('1s') > timestamp('2026-01-01T00:00:02Z')",
        "decision.verdict == 'deny'", "decision.verdict != 'deny'", "decision.verdict in ['deny', 'review']", "decision.verdict == 'other'",
        "decision.score > 50", "decision.score >= 50.0", "50 > decision.score", "decision.score == 50", "decision.score != 0.0", "decision.score in [0.0, 50.0, 100.0]", "decision.score < 1e300", "decision.score > -1.0",
        "decision.score <= 9223372036854775807",
        "'A' in decision.reasons", "!('A' in decision.reasons)", "decision.reasons == ['A']", "'watch' in decision.labels", "size(decision.labels) == 0", "decision.reasons.exists(code, code == 'B')",
        "cluster.id == 1", "cluster.id != 1", "cluster.id in [1, 2]", "cluster.id > 1", "!has(cluster.id)", "cluster.size > 1",
        "case.state == 'open'", "case.state != 'open'", "case.priority > 50", "case.priority == 50", "case.priority + 0 == 50", "case.signups >= 2", "case.appealed", "!case.appealed", "case.appealed == true",
        "case.resolution == 'allow'", "case.resolution != 'allow'", "case.resolved_by == 'lin'", "case.resolved_by in ['lin', 'max']", "case.resolved_at > timestamp('2026-01-01T00:00:01Z')",
        "case.opened_at == timestamp('2026-01-01T00:00:00Z')", "signup.label == 'bad'", "ip.country == 'DE'", "ip.country != 'DE'", "true", "false", "1 > 2", "case.priority > case.signups",
        "case.appealed ? decision.score > 50 : decision.score < 50",
    ];

    private static readonly Gen<ReviewRow> Row =
        from id in Gen.Int[0, 2]
        from second in Gen.Int[0, 3]
        from verdict in Gen.Int[1, 3]
        from score in Gen.Int[0, 4]
        from codes in Gen.Int[0, 3]
        from labelled in Gen.Bool
        from cluster in Gen.Int[0, 3]
        from label in Gen.Int[0, 2]
        from state in Gen.Int[0, 4]
        from priority in Gen.Int[0, 2]
        from signups in Gen.Int[1, 3]
        from appealed in Gen.Bool
        from resolution in Gen.Int[0, 2]
        from whom in Gen.Int[0, 2]
        select new ReviewRow
        {
            SignupId = $"{(char)('a' + id)}",
            RecordedAt = Start.AddSeconds(second).AddTicks(second == 1 ? 5 : 0),
            Verdict = (Verdict)verdict,
            Score = score * 25,
            ReasonCodes = codes switch
            {
                0 => [],
                1 => ["A"],
                2 => ["B", "A"],
                _ => ["B"],
            },
            Labels = labelled ? ["watch"] : [],
            ClusterId = cluster == 0 ? null : cluster,
            Label = label == 0 ? null : label == 1 ? "bad" : "good",
            Case = state == 0
                ? null
                : new ReviewCase
                {
                    State = ((string[])["open", "escalated", "resolved", "denied"])[state - 1],
                    OpenedAt = Start.AddSeconds(second),
                    Priority = priority * 50,
                    Signups = signups,
                    Appealed = appealed,
                    Resolution = resolution == 0 ? null : resolution == 1 ? "allow" : "deny",
                    ResolvedBy = whom == 0 ? null : whom == 1 ? "lin" : "max",
                    ResolvedAt = resolution == 0 ? null : Start.AddSeconds(resolution),
                },
        };

    [Test]
    public void What_matches_is_what_the_index_finds_or_part_of_it_and_all_of_it_where_the_index_is_exact()
    {
        Gen.Select(Source(depth: 3), Row.Array[1, 20]).Sample(
            (source, rows) =>
            {
                var (filter, issues) = ReviewFilter.Read(source, Environment);
                Assert.That(issues, Is.Empty, source);
                foreach (var row in rows)
                {
                    var (matches, found) = (filter!.Matches(row), Holds(filter.Index, row) == true);
                    if (matches && !found) Assert.Fail($"{source} matches a row that its index does not find: {row}");
                    if (filter.IsExact && matches != found) Assert.Fail($"{source} is said to be exact, and is not: {row}");
                }
            },
            iter: 4_000);
    }

    [Test]
    public void Plain_comparisons_are_answered_by_the_index_alone()
    {
        foreach (var source in (string[])
        [
            "decision.verdict == 'deny' && case.priority >= 60", "'A' in decision.reasons || cluster.id == 7", "!(case.appealed || decision.score < 20)", "case.resolved_at < timestamp('2026-01-01T00:00:00Z')",
            "60 <= case.priority", "signup.id in ['a', 'b'] && !(decision.verdict in ['allow'])", " ", "",
        ])
            Assert.That(ReviewFilter.Read(source, Environment).Filter!.IsExact, source);
        foreach (var source in (string[])["ip.country == 'DE'", "decision.score > 50 && ip.country == 'DE'", "case.priority > case.signups", "signup.id < 'b'"])
            Assert.That(ReviewFilter.Read(source, Environment).Filter!.IsExact, Is.False, source);
        // What is asked besides still narrows the search.
        Assert.That(ReviewFilter.Read("decision.score > 50 && ip.country == 'DE'", Environment).Filter!.Index, Is.Not.EqualTo(ReviewFilter.Everything.Index));
    }

    [Test]
    public void What_is_missing_is_neither_equal_nor_different()
    {
        var row = new ReviewRow
        {
            SignupId = "a",
            RecordedAt = Start,
            Verdict = Verdict.Allow,
            Score = 1,
            ReasonCodes = [],
            Labels = [],
        };
        foreach (var source in (string[])["cluster.id == 0", "cluster.id != 0", "!(cluster.id == 0)", "case.resolved_by == ''", "case.resolved_by != 'lin'", "!case.appealed", "ip.country != 'DE'", "case.priority < 1", "!(case.state in ['open'])"])
        {
            var filter = ReviewFilter.Read(source, Environment).Filter!;
            Assert.That(filter.Matches(row), Is.False, source);
            if (filter.IsExact) Assert.That(Holds(filter.Index, row), Is.Not.True, source);
        }
        Assert.That(ReviewFilter.Read("!has(cluster.id) && !has(case.state)", Environment).Filter!.Matches(row));
    }

    [Test]
    public void A_bad_filter_says_where_and_what_was_meant()
    {
        var (filter, issues) = ReviewFilter.Read("decision.score > 50 &&\n decision.verdit == 'deny'", Environment);
        Assert.That(filter, Is.Null);
        Assert.That(issues.Single() is { Line: 2, Column: 2, Suggestion: "decision.verdict" }, issues.Single().ToString());
        foreach (var source in (string[])["decision.score", "decision.score > 'much'", "((((", "1 +", "case.priority > 1 &&", new string('(', 3_000), new string('!', 3_000) + "true", "x".PadRight(ReviewFilter.LengthMax + 1, 'x')])
            Assert.That(ReviewFilter.Read(source, Environment).Issues, Is.Not.Empty, source);
    }

    private static Gen<string> Source(int depth)
    {
        var leaf = Gen.Int[0, Leaves.Length - 1].Select(index => Leaves[index]);
        if (depth == 0) return leaf;
        var part = Source(depth - 1);
        return Gen.Frequency(
            (2, leaf),
            (2, Gen.Select(part, part, (one, two) => $"({one} && {two})")),
            (2, Gen.Select(part, part, (one, two) => $"({one} || {two})")),
            (1, part.Select(one => $"!({one})")));
    }

    /// <summary>As a database does it: unknown is null, and is neither true nor false.</summary>
    private static bool? Holds(IndexCondition condition, ReviewRow row)
    {
        switch (condition)
        {
            case IndexCondition.All all:
                var every = all.Operands.Select(operand => Holds(operand, row)).ToList();
                return every.Contains(false) ? false : every.Contains(null) ? null : true;
            case IndexCondition.Any any:
                var some = any.Operands.Select(operand => Holds(operand, row)).ToList();
                return some.Contains(true) ? true : some.Contains(null) ? null : false;
            case IndexCondition.Compare compare:
                return Value(compare.Path, row) is { } value ? Compared(compare.Comparison, Order(value, compare.Constant)) : null;
            case IndexCondition.OneOf oneOf:
                return Value(oneOf.Path, row) is { } known ? oneOf.Constants.Any(constant => Order(known, constant) == 0) != oneOf.IsNegated : null;
            case IndexCondition.Contains contains:
                return (contains.Path == "decision.reasons" ? row.ReasonCodes : row.Labels).Contains(contains.Text) != contains.IsNegated;
            default:
                throw new ArgumentOutOfRangeException(nameof(condition), condition, "No condition.");
        }
    }

    private static bool Compared(CelComparison comparison, int order) => comparison switch
    {
        CelComparison.Equal => order == 0,
        CelComparison.NotEqual => order != 0,
        CelComparison.Less => order < 0,
        CelComparison.LessOrEqual => order <= 0,
        CelComparison.Greater => order > 0,
        _ => order >= 0,
    };

    private static int Order(object value, CelValue constant) => value switch
    {
        string text => string.CompareOrdinal(text, constant.AsString()),
        double number => number.CompareTo(constant.AsDouble()),
        long number => number.CompareTo(constant.AsInt()),
        bool flag => flag.CompareTo(constant.AsBool()),
        DateTimeOffset time => time.CompareTo(constant.AsTimestamp()),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "No value."),
    };

    private static object? Value(string path, ReviewRow row) => path switch
    {
        "signup.id" => row.SignupId,
        "signup.recorded_at" => row.RecordedAt,
        "decision.verdict" => row.Verdict.ToString().ToLowerInvariant(),
        "decision.score" => row.Score,
        "cluster.id" => row.ClusterId,
        "case.state" => row.Case?.State,
        "case.opened_at" => row.Case?.OpenedAt,
        "case.priority" => row.Case?.Priority,
        "case.signups" => row.Case?.Signups,
        "case.appealed" => row.Case?.Appealed,
        "case.resolution" => row.Case?.Resolution,
        "case.resolved_by" => row.Case?.ResolvedBy,
        "case.resolved_at" => row.Case?.ResolvedAt,
        _ => throw new ArgumentOutOfRangeException(nameof(path), path, "No field that an index answers."),
    };
}
