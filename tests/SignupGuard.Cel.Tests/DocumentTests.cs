using System.Reflection;

namespace SignupGuard.Cel.Tests;

/// <summary>docs/cel.md says what the code does.</summary>
public sealed class DocumentTests
{
    private sealed record Facts;

    internal static string RepositoryRoot { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SignupGuard.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("email.domain", CelType.String, _ => CelValue.Missing(""), "")
        .Field("email.local", CelType.String, _ => CelValue.Missing(""), "")
        .Field("email.free", CelType.Bool, _ => CelValue.Missing(""), "")
        .Field("email.digit_ratio", CelType.Double, _ => CelValue.Missing(""), "")
        .Field("ip.hosting", CelType.Bool, _ => CelValue.Missing(""), "")
        .Field("ip.tor", CelType.Bool, _ => CelValue.Missing(""), "")
        .Field("ip.country", CelType.String, _ => CelValue.Missing(""), "ISO alpha-2.")
        .Field("subject.country", CelType.String, _ => CelValue.Missing(""), "")
        .Field("link.ip.last_1h", CelType.Double, _ => CelValue.Missing(""), "")
        .Field("link.device.last_1h", CelType.Double, _ => CelValue.Missing(""), "")
        .Field("event.occurred_at", CelType.Timestamp, _ => CelValue.Missing(""), "")
        .Field("custom", CelType.Map(CelType.Dyn), _ => CelValue.Missing(""), "")
        .Function("velocity", CelType.Double, [CelType.String, CelType.String], (_, _) => CelValue.Missing(""), "Distinct accounts.")
        .Build();

    /// <summary>What stands between the marks; with CEL_CONFORMANCE_UPDATE=1 it is written first.</summary>
    internal static void Holds(string mark, string text)
    {
        var path = Path.Combine(RepositoryRoot, "docs/cel.md");
        var (begin, end) = ($"<!-- {mark}: begin -->\n", $"<!-- {mark}: end -->");
        if (System.Environment.GetEnvironmentVariable("CEL_CONFORMANCE_UPDATE") == "1")
        {
            var old = File.ReadAllText(path);
            File.WriteAllText(path, old[..(old.IndexOf(begin, StringComparison.Ordinal) + begin.Length)] + text + old[old.IndexOf(end, StringComparison.Ordinal)..]);
        }
        Assert.That(File.ReadAllText(path), Does.Contain(begin + text + end));
    }

    [Test]
    public void The_functions_are_the_code_s() => Holds("functions", CelReference.Markdown(CelReference.Functions));

    [Test]
    public void The_macros_are_the_code_s() => Holds("macros", CelReference.Markdown(CelReference.Macros));

    [Test]
    public void The_limits_are_the_code_s()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot, "docs/cel.md"));
        foreach (var limit in typeof(CelLimits).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.PropertyType == typeof(int)))
            Assert.That(document, Does.Contain($"| `{limit.Name}` | {limit.GetValue(CelLimits.Default)} |"));
    }

    [Test]
    public void The_examples_compile()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot, "docs/cel.md"));
        var examples = document.Split("```cel\n")[1..].SelectMany(block => block[..block.IndexOf("```", StringComparison.Ordinal)].Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.That(examples, Has.Count.GreaterThan(5));
        foreach (var example in examples) Assert.That(Environment.Compile(example, CelType.Bool).Issues, Is.Empty, example);
    }

    /// <summary>A name in the reference that the compiler does not know, or the other way round, would be a lie.</summary>
    [Test]
    public void Every_macro_of_the_reference_is_known_to_the_compiler()
    {
        foreach (var macro in CelReference.Macros.Where(macro => macro.Name != "cel.bind"))
            Assert.That(Environment.Compile($"{macro.Name}(1, 2, 3, 4, 5)").Issues.Single().Message, Does.Not.Contain("there is no function"), macro.Name);
    }

    [Test]
    public void An_environment_s_reference_shows_its_fields_and_functions()
    {
        var text = CelReference.Markdown(Environment.Fields, Environment.Functions);
        Assert.That(text, Does.Contain("| `ip.country` | string | ISO alpha-2. |\n"));
        Assert.That(text, Does.Contain("| `velocity(string, string): double` | Distinct accounts. |\n"));
    }
}
