namespace SignupGuard.Cel.Tests;

/// <summary>What the person who wrote a rule is told: where, what, and what was probably meant.</summary>
public sealed class DiagnosticsTests
{
    private sealed record Facts;

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("email.domain", CelType.String, _ => CelValue.Missing(""), "")
        .Field("email.free", CelType.Bool, _ => CelValue.Missing(""), "")
        .Field("ip.asn", CelType.Int, _ => CelValue.Missing(""), "")
        .Field("custom", CelType.Map(CelType.Dyn), _ => CelValue.Missing(""), "")
        .Function("listed", CelType.Bool, [CelType.String, CelType.String], (_, _) => CelValue.True, "", constants => constants[0]?.AsString() is { } list and not "partners" ? new CelRefused(0, $"there is no list `{list}`", "partners") : null)
        .Build();

    [TestCase("email.domian == 'x'", "1:1: there is no field `email.domian`; did you mean `email.domain`?")]
    [TestCase("ip.asn == 3\n  && ip.asm == 4", "2:6: there is no field `ip.asm`; did you mean `ip.asn`?")]
    [TestCase("has(email.fre)", "1:5: there is no field `email.fre`; did you mean `email.free`?")]
    [TestCase("email == 'x'", "1:1: `email` is a group of fields; name one of them")]
    [TestCase("email.domain.x == 1", "1:14: a string has no field `x`")]
    [TestCase("ip.asn[0] == 1", "1:7: an int has no items")]
    [TestCase("email.domain == null", "1:14: `==` can't compare string with null: a missing fact is not null; did you mean `!has(email.domain)`?")]
    [TestCase("email.domain.endWith('x')", "1:14: there is no function `endWith`; did you mean `endsWith`?")]
    [TestCase("math.grestest(1, 2) == 2", "1:6: there is no function `math.grestest`; did you mean `math.greatest`?")]
    [TestCase("email.domain.endsWith(1)", "1:14: `endsWith` does not take (string, int); did you mean `string.endsWith(string): bool`?")]
    [TestCase("listed('partnrs', email.domain)", "1:8: there is no list `partnrs`; did you mean `partners`?")]
    [TestCase("listed('partners')", "1:1: `listed` takes (string, string), not (string)")]
    [TestCase("ip.asn = 3", "1:8: unexpected character; did you mean `==`?")]
    [TestCase("email.free and email.free", "1:12: unexpected `and`; did you mean `&&`?")]
    [TestCase("email.domain == \u201Cx\u201D", "1:17: unexpected character; did you mean `\"`?")]
    [TestCase("ip.asn + 1.5 > 2.0", "1:8: `+` does not take int and double; convert one with int(), uint() or double()")]
    [TestCase("ip.asn in ['a']", "1:8: `in` looks for int in list(string)")]
    [TestCase("email.free && ip.asn", "1:18: `&&` wants bool, not int")]
    [TestCase("ip.asn + 1", "1:8: the expression gives int, but bool is wanted")]
    [TestCase("email.free &&", "1:14: the expression ends too early")]
    [TestCase("email.domain.matches('(a')", "1:22: the pattern is no regular expression")]
    [TestCase("1 2", "1:3: unexpected number")]
    [TestCase("custom.true == 1", "1:8: expected a name")]
    [TestCase("ip.asn == 99999999999999999999", "1:11: the number does not fit 64 bits")]
    [TestCase("Account{id: 1} == 1", "1:8: `Account{…}` builds a protobuf message, which rules can't")]
    public void A_refusal_says_where_what_and_what_was_meant(string source, string expected) =>
        Assert.That(Environment.Compile(source, CelType.Bool).Issues.Single().ToString(), Is.EqualTo(expected));

    [Test]
    public void Several_slips_are_all_reported() =>
        Assert.That(Environment.Compile("email.domian == 'x' && ip.asm == 3 && listed('x', 1)").Issues.Select(issue => issue.Column), Is.EqualTo(new[] { 1, 24, 39 }));

    [Test]
    public void Names_in_a_container_are_found_there_first_and_from_the_root_with_a_dot()
    {
        var environment = CelEnvironment<Facts>.Create()
            .Field("a.b.x", CelType.Int, _ => CelValue.From(1L), "")
            .Field("a.x", CelType.Int, _ => CelValue.From(2L), "")
            .Field("x", CelType.Int, _ => CelValue.From(3L), "")
            .Container("a.b")
            .Build();
        Assert.That(environment.Compile("x == 1 && .x == 3 && a.x == 2 && .a.b.x == 1 && [7].all(x, x == 7 && .x == 3)").Program!.Evaluate(new Facts()).IsTrue, Is.True);
    }
}
