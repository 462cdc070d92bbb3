using System.Globalization;
using System.Text;
using SignupGuard.Cel;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Tests.Documents;

/// <summary>docs/policy-language.md says what the code does.</summary>
public sealed class PolicyLanguageTests
{
    private const string Name = "policy-language.md";

    private static readonly Policy Shipped = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!;

    private static readonly CelEnvironment<Facts> Environment = FactsEnvironment.For(Shipped.Linkage.Rules);

    [Test]
    public void The_fields_are_the_code_s() =>
        Document.Holds(Name, "fields", CelReference.Markdown(Environment.Fields.Where(field => !field.Path.StartsWith("link.", StringComparison.Ordinal)), Environment.Functions));

    /// <summary>All kinds of keys have the same fields; the card stands for them, which has them all.</summary>
    [Test]
    public void The_fields_of_a_key_are_the_code_s()
    {
        static string Generic(string text) => text.Replace("the card", "the key", StringComparison.Ordinal).Replace("owner among", "the rule's `spread` attribute among", StringComparison.Ordinal);
        var fields = Environment.Fields.Where(field => field.Path.StartsWith("link.card.", StringComparison.Ordinal)).Select(field => field with
        {
            Path = field.Path.Replace("link.card.", "link.KIND.", StringComparison.Ordinal),
            Description = Generic(field.Description),
        });
        Document.Holds(Name, "link fields", CelReference.Markdown(fields, []));
        foreach (var rule in Shipped.Linkage.Rules)
        {
            foreach (var field in fields.Where(field => rule.Spread is not null || !field.Path.EndsWith(".spread", StringComparison.Ordinal)))
                Assert.That(Environment.Fields.Select(declared => declared.Path), Does.Contain(field.Path.Replace("KIND", FactsEnvironment.FieldName(rule.Kind), StringComparison.Ordinal)));
        }
    }

    [Test]
    public void The_kinds_of_keys_are_the_code_s()
    {
        var text = new StringBuilder($"Attributes: {string.Join(", ", Enum.GetValues<LinkAttribute>().Where(attribute => attribute != default).Select(attribute => $"`{KeyKind.Name(attribute)}`"))}.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"In the shipped policy: {string.Join(", ", Shipped.Linkage.Rules.Select(rule => $"`{FactsEnvironment.FieldName(rule.Kind)}`"))}.\n");
        Document.Holds(Name, "kinds", text.ToString());
    }

    [Test]
    public void The_functions_and_macros_are_the_code_s()
    {
        Document.Holds(Name, "functions", CelReference.Markdown(CelReference.Functions));
        Document.Holds(Name, "macros", CelReference.Markdown(CelReference.Macros));
    }

    [Test]
    public void The_types_of_lists_are_the_code_s()
    {
        var text = new StringBuilder("| type | value |\n|---|---|\n");
        foreach (var type in Enum.GetValues<ListType>()) text.Append(CultureInfo.InvariantCulture, $"| `{type.ToString().ToLowerInvariant()}` | {ListValueReader.Form(type)} |\n");
        Document.Holds(Name, "list types", text.ToString());
    }

    [Test]
    public void The_examples_compile()
    {
        var examples = Document.Read(Name).Split("```cel\n")[1..].SelectMany(block => block[..block.IndexOf("```", StringComparison.Ordinal)].Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.That(examples, Has.Count.GreaterThan(8));
        foreach (var example in examples) Assert.That(Environment.Compile(example, CelType.Bool).Issues, Is.Empty, example);
    }

    [Test]
    public void The_whole_policy_shown_is_one()
    {
        var document = Document.Read(Name);
        var start = document.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;
        Assert.That(PolicyReader.Read(document[start..document.IndexOf("```", start, StringComparison.Ordinal)], 1).Issues, Is.Empty);
    }
}
