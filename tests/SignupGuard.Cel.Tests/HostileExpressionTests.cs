namespace SignupGuard.Cel.Tests;

/// <summary>Expressions written to hurt: refused on save, or bounded at evaluation.</summary>
public sealed class HostileExpressionTests
{
    private sealed record Facts(string Text, CelValue List);

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("text", CelType.String, facts => CelValue.From(facts.Text), "")
        .Field("list", CelType.List(CelType.Int), facts => facts.List, "")
        .Build();

    private static readonly Facts Large = new(new string('a', 60_000), CelValue.From([.. Enumerable.Range(0, 20_000).Select(i => CelValue.From((long)i))]));
    private static readonly Facts Small = new(new string('a', 100), CelValue.From([.. Enumerable.Range(0, 100).Select(i => CelValue.From((long)i))]));

    private static IReadOnlyList<CelIssue> Issues(string source) => Environment.Compile(source).Issues;

    private static CelValue Evaluate(string source, Facts? facts = null)
    {
        var compiled = Environment.Compile(source);
        Assert.That(compiled.Issues, Is.Empty, source);
        return compiled.Program!.Evaluate(facts ?? Small);
    }

    private static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));

    private static IEnumerable<string> Deep()
    {
        yield return Times(5_000, "(") + "1";
        yield return Times(2_000, "(") + "1" + Times(2_000, ")");
        yield return Times(5_000, "!") + "true";
        yield return Times(2_000, "- ") + "list";
        yield return Times(4_000, "[");
        yield return Times(1_000, "[") + Times(1_000, "]");
        yield return Times(1_000, "{1:") + "1" + Times(1_000, "}");
        yield return "true" + Times(500, " ? true : true");
        yield return "text" + Times(3_000, ".a");
        yield return "text" + Times(1_000, ".trim()");
        yield return "list" + Times(1_000, "[0]");
        yield return Times(1_000, "size(") + "text" + Times(1_000, ")");
        yield return string.Join(" + ", Enumerable.Repeat("1", 2_000));
        yield return string.Join(" == ", Enumerable.Repeat("true", 1_000));
        yield return Times(200, "cel.bind(x, 1, ") + "x" + Times(200, ")");
        yield return $"cel.block([{string.Join(",", Enumerable.Repeat("1", 900))}], cel.index(1))";
    }

    [TestCaseSource(nameof(Deep))]
    public void Deep_nesting_is_refused(string source)
    {
        Assert.That(source, Has.Length.LessThan(CelLimits.Default.LengthMax));
        Assert.That(Issues(source), Is.Not.Empty);
    }

    [Test]
    public void A_long_chain_of_and_or_or_is_no_nesting() =>
        Assert.That(Evaluate(string.Join(" || ", Enumerable.Repeat("text == 'b'", 500))).IsFalse, Is.True);

    [Test]
    public void Huge_literals_are_refused()
    {
        Assert.That(Issues("'" + new string('a', 10_000) + "' == ''").Single().Message, Does.Contain("longer"));
        Assert.That(Issues($"1 in [{string.Join(",", Enumerable.Repeat("1", 1_001))}]").Single().Message, Does.Contain("items"));
        Assert.That(Issues($"1 in {{{string.Join(",", Enumerable.Range(0, 1_001).Select(i => $"{i}:1"))}}}").Single().Message, Does.Contain("entries").Or.Contain("longer"));
        Assert.That(Issues("1" + new string('0', 500)), Has.Count.EqualTo(1));
        Assert.That(Issues("1e999999999"), Has.Count.EqualTo(1));
    }

    [TestCase("text.matches('(a)\\\\1')", Description = "back-reference")]
    [TestCase("text.matches('(?=a)a')", Description = "look-ahead")]
    [TestCase("text.matches('(?<!a)a')", Description = "look-behind")]
    [TestCase("text.matches('(?>a+)b')", Description = "atomic group")]
    [TestCase("text.matches('a{100000}')")]
    [TestCase("text.matches('((a{10}){10}){10}')")]
    [TestCase("text.matches('(.*a.{200})+b')")]
    [TestCase("text.matches('(.?){120}a{120}')")]
    [TestCase("text.matches('[')")]
    [TestCase("text.matches('a{99999999999999999999}')")]
    [TestCase("text.matches(text)", Description = "no literal: not to be checked on save")]
    public void A_catastrophic_or_wrong_pattern_is_refused_where_it_stands(string source) =>
        Assert.That(Issues(source).Single().Column, Is.EqualTo("text.matches(".Length + 1));

    [Test]
    public void Too_many_patterns_are_refused() =>
        Assert.That(Issues(string.Join(" || ", Enumerable.Range(0, 50).Select(i => $"text.matches('a{i}')"))), Is.Not.Empty);

    [TestCase("text.matches('^(a+)+$')", Description = "exponential for a backtracking engine")]
    [TestCase("text.matches('(a|aa)+$')")]
    [TestCase("!text.matches('(x+x+)+y')")]
    public void Patterns_that_hurt_backtracking_engines_just_run(string source) => Assert.That(Evaluate(source, Small).IsTrue, Is.True);

    [TestCase("list.all(a, list.all(b, list.all(c, a + b + c >= 0)))", Description = "cubic over facts")]
    [TestCase("[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))", Description = "four deep")]
    [TestCase("[1,2,3,4,5,6,7,8,9,10].map(a, list.map(b, list.map(c, a)))")]
    public void Comprehensions_that_may_take_too_much_are_refused_on_save(string source) => Assert.That(Issues(source), Is.Not.Empty);

    [Test]
    public void Quadratic_work_over_literals_is_refused_with_the_number_of_steps()
    {
        var items = "[" + string.Join(",", Enumerable.Range(0, 400)) + "]";
        Assert.That(Issues($"{items}.all(a, {items}.all(b, a + b >= 0))").Single().Message, Does.Contain("steps"));
    }

    /// <summary>Their estimate is within the bound; the facts are larger than was assumed.</summary>
    [TestCase("list.all(a, list.all(b, a + b >= 0))")]
    [TestCase("list.all(a, list.size() > 0)", Description = "reading the facts again for each item")]
    [TestCase("list.exists(a, list.filter(b, b > a).size() < 0)")]
    [TestCase("list.map(a, list.map(b, a * b)).size() > 0")]
    [TestCase("list.all(a, text.contains('b') || a >= 0)")]
    [TestCase("list.map(a, text).size() > 0")]
    [TestCase("list.map(a, list).size() > 0")]
    [TestCase("list.transformMap(i, v, text).size() > 0")]
    [TestCase("(text + text + text + text).size() > 0")]
    [TestCase("text.replace('a', 'aaaaaaaaaaaaaaaa').size() > 0")]
    [TestCase("text.split('').size() > 0")]
    [TestCase("text.split('').join(text).size() > 0")]
    [TestCase("'%s%s%s%s'.format([text, text, text, text]).size() > 0")]
    [TestCase("'%s'.format([list]).size() > 0")]
    [TestCase("text.upperAscii().lowerAscii().reverse().trim().size() > 0")]
    [TestCase("list == list && list + list + list == list")]
    [TestCase("list.all(a, timestamp(a).getHours(text.substring(0, 9)) == 0 || true == (a > -1))")]
    [TestCase("list.all(a, text.matches('(.*a.{40})+b'))")]
    [TestCase("list.all(a, '%e%e%e%e%e%e%e%e'.format([a, a, a, a, a, a, a, a]) != '')")]
    public void What_large_facts_make_too_much_ends_in_an_error_with_little_memory(string source)
    {
        var program = Environment.Compile(source).Program!;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var value = program.Evaluate(Large);
        Assert.That(value.IsError, Is.True, value.ToString());
        Assert.That(value.IsMissing, Is.False);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(16 << 20));
    }

    /// <summary>Each binding doubles a list that shares its parts: 2^40 items to read, few to hold.</summary>
    [Test]
    public void Doubling_by_bindings_stops_at_the_size_that_may_be_built()
    {
        var source = "cel.bind(a0, [list], " + string.Concat(Enumerable.Range(1, 40).Select(i => $"cel.bind(a{i}, [a{i - 1}, a{i - 1}], ")) + "a40 == a40" + new string(')', 41);
        Assert.That(Evaluate(source).ErrorText, Is.EqualTo("the value grows too large"));
    }

    [Test]
    public void Growing_constants_are_bounded_while_compiling()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var growing = "'aaaaaaaa'" + Times(20, ".replace('a', 'aaaaaaaa')");
        Assert.That(Evaluate($"{growing} == ''").ErrorText, Is.EqualTo("the value grows too large"));
        Assert.That(Evaluate($"[{string.Join(",", Enumerable.Repeat("'aaaaaaaa'.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaa').reverse()", 80))}].size() > 0").IsError, Is.True);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(64 << 20));
    }

    [TestCase("System.Environment.Exit(1)")]
    [TestCase("text.GetType().Assembly.Location == ''")]
    [TestCase("type(text).Assembly == ''")]
    [TestCase("typeof(text)")]
    [TestCase("text.Length > 0")]
    [TestCase("this.text == ''")]
    [TestCase("google.protobuf.Any{type_url: 'x'} == null")]
    [TestCase("__proto__ == null")]
    [TestCase("System.IO.File.ReadAllText('/etc/passwd') == ''")]
    [TestCase("timestamp(0).getHours('../../etc/passwd') == 0")]
    public void Reaching_outside_the_facts_is_refused(string source) => Assert.That(Issues(source), Is.Not.Empty);

    [Test]
    public void Many_problems_are_reported_up_to_a_bound()
    {
        var issues = Issues($"[{string.Join(",", Enumerable.Repeat("txet", 1_000))}].size() > 0");
        Assert.That(issues, Has.Count.EqualTo(CelLimits.Default.IssuesMax));
    }
}
