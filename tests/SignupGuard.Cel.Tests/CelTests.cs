namespace SignupGuard.Cel.Tests;

/// <summary>The rule language over a small set of facts, some of them missing.</summary>
public sealed class CelTests
{
    private sealed record Facts(string? Domain, bool? Hosting, long Accounts, double? Ratio, IReadOnlyDictionary<string, CelValue> Custom);

    private static readonly Facts Full = new("mail.example", true, 7, 0.5, new Dictionary<string, CelValue> { ["tier"] = CelValue.From("gold") });
    private static readonly Facts Sparse = new(null, null, 1, null, new Dictionary<string, CelValue>());

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("email.domain", CelType.String, facts => CelValue.From(facts.Domain, "email.domain"), "")
        .Field("ip.hosting", CelType.Bool, facts => CelValue.From(facts.Hosting, "ip.hosting"), "")
        .Field("link.accounts", CelType.Int, facts => CelValue.From(facts.Accounts), "")
        .Field("email.digit_ratio", CelType.Double, facts => CelValue.From(facts.Ratio, "email.digit_ratio"), "")
        .Field("custom", CelType.Map(CelType.Dyn), facts => CelValue.From(facts.Custom), "")
        .Function("velocity", CelType.Double, [CelType.String, CelType.String], (facts, _) => CelValue.From((double)facts.Accounts), "")
        .Build();

    private static CelValue Evaluate(string source, Facts? facts = null)
    {
        var compiled = Environment.Compile(source);
        Assert.That(compiled.Issues, Is.Empty, source);
        return compiled.Program!.Evaluate(facts ?? Full);
    }

    [TestCase("1 + 2 * 3 == 7")]
    [TestCase("(1 + 2) * 3 == 9")]
    [TestCase("-7 / 2 == -3 && -7 % 2 == -1")]
    [TestCase("1 == 1.0 && 2 > 1.5")]
    [TestCase("'a' + \"b\" == 'ab'")]
    [TestCase("r'\\d' == '\\\\d'")]
    [TestCase("'''it's''' == \"it's\"")]
    [TestCase("'\\u00e9' == '\u00e9' && '\\x41\\101' == 'AA'")]
    [TestCase("size('h\u00e9\U0001F600') == 3")]
    [TestCase("2 in [1, 2, 3] && !(9 in [1, 2, 3, 4, 5, 6])")]
    [TestCase("email.domain.endsWith('.example') && email.domain.matches('^mail\\\\.')")]
    [TestCase("[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x == 2) && [1, 2].exists_one(x, x == 1)")]
    [TestCase("[1, 2, 3].filter(x, x > 1).map(x, x * 10) == [20, 30]")]
    [TestCase("duration('1h30m') == duration('90m') && duration('-2.5s') < duration('0')")]
    [TestCase("timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')")]
    [TestCase("true ? 1 == 1 : false")]
    [TestCase("email.domain == 'mail.example' ? link.accounts + 1 == 8 : false")]
    [TestCase("{'a': 1, 'b': 2}.all(k, v, k < 'c' && v < 3) && {'a': 1}.a == 1")]
    [TestCase("timestamp('2026-03-29T00:59:59Z').getHours('Europe/Berlin') == 1 && timestamp('2026-03-29T01:00:00Z').getHours('Europe/Berlin') == 3")]
    [TestCase("custom.?other.orValue('none') == 'none' && custom[?'tier'].hasValue()")]
    [TestCase("link.accounts > 6.5 && link.accounts < 8u && email.digit_ratio < 1")]
    [TestCase("custom.tier == 'gold' && custom['tier'] == 'gold' && has(custom.tier) && !has(custom.other)")]
    [TestCase("velocity('ip', '1h') > 5.0 && velocity('ip', '1h') > 5")]
    [TestCase("int('12') == 12 && double(3) == 3.0 && string(4) == '4'")]
    [TestCase("0x10 == 16 && 1e3 == 1000.0 && .5 == 0.5")]
    public void Expressions_hold(string source) => Assert.That(Evaluate(source).IsTrue, Is.True, source);

    [TestCase("ip.hosting || true")]
    [TestCase("true || ip.hosting")]
    [TestCase("!(ip.hosting && false)")]
    [TestCase("!(false && ip.hosting)")]
    [TestCase("[1, 2].exists(x, x == 2 || ip.hosting)")]
    [TestCase("!has(ip.hosting) && !has(email.domain)")]
    public void A_deciding_side_absorbs_a_missing_fact(string source) => Assert.That(Evaluate(source, Sparse).IsTrue, Is.True, source);

    [TestCase("ip.hosting")]
    [TestCase("!ip.hosting")]
    [TestCase("ip.hosting && true")]
    [TestCase("false || ip.hosting")]
    [TestCase("email.domain == 'x'")]
    [TestCase("email.domain != 'x'")]
    [TestCase("email.digit_ratio > 0.1")]
    [TestCase("ip.hosting ? true : false")]
    [TestCase("email.domain in ['a', 'b', 'c', 'd', 'e', 'f']")]
    public void A_rule_that_depends_on_a_missing_fact_is_missing(string source) => Assert.That(Evaluate(source, Sparse).IsMissing, Is.True, source);

    [TestCase("9223372036854775807 + 1 > 0")]
    [TestCase("-9223372036854775808 - 1 < 0")]
    [TestCase("1 / 0 == 1")]
    [TestCase("1 % 0 == 1")]
    public void Overflow_and_division_by_zero_are_errors_not_exceptions(string source) => Assert.That(Evaluate(source).IsError, Is.True, source);

    [TestCase("email.domian == 'x'", 1, "email.domain")]
    [TestCase("true && velocty('ip', '1h') > 1.0", 9, "velocity")]
    public void An_unknown_name_is_refused_where_it_stands_with_what_was_meant(string source, int column, string suggestion)
    {
        var issue = Environment.Compile(source).Issues.Single();
        Assert.That(issue.Suggestion, Is.EqualTo(suggestion));
        Assert.That(issue.Column, Is.EqualTo(column).Or.EqualTo(source.IndexOf("domian", StringComparison.Ordinal) + 1));
    }

    [TestCase("1 + 'a'")]
    [TestCase("1 + 1.0")]
    [TestCase("'a' < 1")]
    [TestCase("!1")]
    [TestCase("link.accounts && true")]
    [TestCase("email.domain.matches('(a)\\\\1')")]
    [TestCase("email.domain.matches('(?=a)')")]
    [TestCase("duration('ten')")]
    [TestCase("[1].all(x, x)")]
    [TestCase("velocity('ip')")]
    [TestCase("has(1)")]
    [TestCase("1 +")]
    [TestCase("(1")]
    [TestCase("'open")]
    [TestCase("9223372036854775808")]
    [TestCase("")]
    [TestCase("a b")]
    [TestCase("#")]
    public void Wrong_expressions_are_refused_with_a_position(string source) =>
        Assert.That(Environment.Compile(source, CelType.Bool).Issues, Is.Not.Empty, source);

    [Test]
    public void A_wrong_result_type_is_refused() =>
        Assert.That(Environment.Compile("1 + 1", CelType.Bool).Issues.Single().Message, Does.Contain("bool"));

    [Test]
    public void Logic_agrees_with_three_valued_truth_tables()
    {
        bool?[] values = [true, false, null];
        foreach (var left in values)
        {
            foreach (var right in values)
            {
                var facts = new Facts(right is { } r ? (r ? "y" : "n") : null, left, 0, null, new Dictionary<string, CelValue>());
                bool? and = left == false || right == false ? false : left is null || right is null ? null : true;
                bool? or = left == true || right == true ? true : left is null || right is null ? null : false;
                Assert.That(Truth(Evaluate("ip.hosting && email.domain == 'y'", facts)), Is.EqualTo(and));
                Assert.That(Truth(Evaluate("ip.hosting || email.domain == 'y'", facts)), Is.EqualTo(or));
            }
        }

        static bool? Truth(CelValue value) => value.IsError ? null : value.AsBool();
    }

    [Test]
    public void A_program_names_the_fields_it_reads() =>
        Assert.That(Environment.Compile("has(ip.hosting) && email.domain == 'x'").Program!.Reads, Is.EquivalentTo(new[] { "ip.hosting", "email.domain" }));
}
