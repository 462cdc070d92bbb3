using System.Text;
using System.Text.Json;

namespace SignupGuard.Cel.Tests.Conformance;

/// <summary>CEL's own conformance suite (npm @bufbuild/cel-spec). What does not pass is listed with its reason, and the list is exact.</summary>
public sealed class ConformanceTests
{
    private static readonly Lazy<IReadOnlyList<ConformanceOutcome>> Outcomes = new(() => [.. Cases().Select(test => test.Run())]);

    private static string SuitePath => Path.Combine(AppContext.BaseDirectory, "cel-spec.json");

    private static string LeftOutPath => Path.Combine(DocumentTests.RepositoryRoot, "tests/SignupGuard.Cel.Tests/Conformance/left-out.txt");

    /// <summary>Set to write the list and the table anew instead of comparing them.</summary>
    private static bool IsUpdate => Environment.GetEnvironmentVariable("CEL_CONFORMANCE_UPDATE") == "1";

    private static List<ConformanceCase> Cases()
    {
        var cases = new List<ConformanceCase>();
        using var suite = JsonDocument.Parse(File.ReadAllText(SuitePath));
        foreach (var section in suite.RootElement.GetProperty("suites").EnumerateArray()) Collect(section.Clone(), section.GetProperty("name").GetString()!, section.GetProperty("name").GetString()!, cases);
        return cases;
    }

    private static void Collect(JsonElement node, string section, string path, List<ConformanceCase> cases)
    {
        if (node.TryGetProperty("tests", out var tests))
        {
            foreach (var test in tests.EnumerateArray())
            {
                var original = test.GetProperty("original");
                cases.Add(new ConformanceCase(section, $"{path}/{original.GetProperty("name").GetString()}", original));
            }
        }
        if (!node.TryGetProperty("suites", out var suites)) return;
        foreach (var inner in suites.EnumerateArray()) Collect(inner, section, $"{path}/{inner.GetProperty("name").GetString()}", cases);
    }

    [OneTimeSetUp]
    public void The_suite_is_restored()
    {
        if (!File.Exists(SuitePath)) Assert.Ignore("CEL's conformance suite is not restored: install Node.js with npm and build the tests again.");
    }

    [Test]
    public void The_suite_is_whole() => Assert.That(Outcomes.Value, Has.Count.EqualTo(2344));

    [Test]
    public void Every_case_passes_or_is_left_out_for_a_reason_and_none_left_out_passes()
    {
        var actual = Outcomes.Value.Where(outcome => outcome.Problem is not null).Select(outcome => $"{outcome.Path}: {outcome.Problem}").Order(StringComparer.Ordinal).ToList();
        if (IsUpdate) File.WriteAllLines(LeftOutPath, actual);
        Assert.That(actual, Is.EqualTo(File.ReadAllLines(LeftOutPath)));
    }

    [TestCase("basic")]
    [TestCase("bindings_ext")]
    [TestCase("conversions")]
    [TestCase("encoders_ext")]
    [TestCase("fp_math")]
    [TestCase("integer_math")]
    [TestCase("lists")]
    [TestCase("logic")]
    [TestCase("macros")]
    [TestCase("macros2")]
    [TestCase("math_ext")]
    [TestCase("namespace")]
    [TestCase("plumbing")]
    [TestCase("string")]
    [TestCase("timestamps")]
    public void Every_case_passes_of(string section) =>
        Assert.That(Outcomes.Value.Where(outcome => outcome.Section == section && outcome.Problem is not null), Is.Empty);

    [TestCase("block_ext")]
    [TestCase("comparisons")]
    [TestCase("fields")]
    [TestCase("optionals")]
    [TestCase("parse")]
    [TestCase("string_ext")]
    [TestCase("type_deductions")]
    public void Only_protobuf_messages_are_left_out_of(string section) =>
        Assert.That(Outcomes.Value.Where(outcome => outcome.Section == section && outcome.Problem is not null).Select(outcome => outcome.Problem), Has.All.Contain("protobuf message"));

    [Test]
    public void The_document_shows_the_table() => DocumentTests.Holds("conformance", Table());

    private static string Table()
    {
        var table = new StringBuilder("| section | cases | pass | left out | because it |\n|---|---:|---:|---:|---|\n");
        foreach (var section in Outcomes.Value.GroupBy(outcome => outcome.Section))
        {
            var reasons = section.Where(outcome => outcome.Problem is not null).Select(outcome => outcome.Problem!).Distinct().Order(StringComparer.Ordinal);
            var left = section.Count(outcome => outcome.Problem is not null);
            table.Append(FormattableString.Invariant($"| {section.Key} | {section.Count()} | {section.Count() - left} | {left} | {string.Join("; ", reasons)} |\n"));
        }
        var passed = Outcomes.Value.Count(outcome => outcome.Problem is null);
        return table.Append(FormattableString.Invariant($"| **all** | **{Outcomes.Value.Count}** | **{passed}** | **{Outcomes.Value.Count - passed}** | |\n")).ToString();
    }
}
