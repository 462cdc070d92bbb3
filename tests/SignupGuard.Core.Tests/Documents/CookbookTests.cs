using System.Globalization;
using System.Text.RegularExpressions;
using SignupGuard.Cel;
using SignupGuard.Core.Policies;
using YamlDotNet.Serialization;

namespace SignupGuard.Core.Tests.Documents;

/// <summary>
/// Every recipe of docs/cookbook.md: its rule is a rule of a policy, fires on the facts it says, and stays silent on those it says. The expression runs as
/// in the service but for the facts, which come from the examples by the fields' names and types; those not named are missing.
/// </summary>
public sealed partial class CookbookTests
{
    private const int RecipesMin = 15;

    private sealed record Recipe(string Title, string Text, IReadOnlyList<string> Blocks)
    {
        public override string ToString() => Title;
    }

    private sealed class Known : Dictionary<string, CelValue>
    {
        public Known()
            : base(StringComparer.Ordinal)
        {
        }
    }

    private static readonly CelEnvironment<Facts> Declared = FactsEnvironment.For(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!.Linkage.Rules);

    private static readonly CelEnvironment<Known> ByName = Declare();

    [GeneratedRegex("^### (.+?)\n(.*?)(?=^##|\\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex RecipePattern { get; }

    [GeneratedRegex("^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockPattern { get; }

    private static CelEnvironment<Known> Declare()
    {
        var builder = CelEnvironment<Known>.Create();
        foreach (var field in Declared.Fields) builder.Field(field.Path, field.Type, known => known.GetValueOrDefault(field.Path, CelValue.Missing(field.Path)), field.Description);
        return builder.Build();
    }

    private static IEnumerable<Recipe> Recipes() => RecipePattern.Matches(Document.Read("cookbook.md"))
        .Select(match => new Recipe(match.Groups[1].Value, match.Groups[2].Value, [.. BlockPattern.Matches(match.Groups[2].Value).Select(block => block.Groups[1].Value)]));

    [Test]
    public void There_are_fifteen_recipes_or_more() => Assert.That(Recipes().Count(), Is.GreaterThanOrEqualTo(RecipesMin));

    [TestCaseSource(nameof(Recipes))]
    public void A_recipe_works_as_written(object given)
    {
        var recipe = (Recipe)given;
        Assert.That(recipe.Text, Does.Contain("**Attack.**").And.Contain("**Honest people.**"));
        var reading = PolicyReader.Read(Whole(recipe.Blocks[0]), 1);
        Assert.That(reading.Issues, Is.Empty);
        var when = ((Dictionary<object, object>)((List<object>)new Deserializer().Deserialize<object>(recipe.Blocks[0])!).Single())["when"].ToString()!;
        var compiled = ByName.Compile(when, CelType.Bool);
        Assert.That(compiled.Issues, Is.Empty);

        var (fires, silent) = (0, 0);
        foreach (var block in recipe.Blocks.Skip(1))
        {
            var holds = compiled.Program!.Evaluate(Read(block));
            if (block.StartsWith("# fires\n", StringComparison.Ordinal))
            {
                fires++;
                Assert.That(holds.IsTrue, Is.True, block);
            }
            else
            {
                silent++;
                Assert.That(block, Does.StartWith("# silent\n"));
                // Silent for what is said, not for what is not.
                Assert.That(holds.IsFalse, Is.True, $"{block}{holds}");
            }
        }
        Assert.That((fires, silent), Is.EqualTo((1, 1)));
    }

    [Test]
    public void All_recipes_together_are_one_policy()
    {
        var rules = string.Concat(Recipes().Select(recipe => recipe.Blocks[0]));
        var reading = PolicyReader.Read(Whole(rules), 1);
        Assert.That(reading.Issues, Is.Empty);
        Assert.That(reading.Policy!.Rules, Has.Count.EqualTo(Recipes().Count()));
    }

    /// <summary>A policy of these rules, with the linkage of the shipped one: rules read its keys.</summary>
    private static string Whole(string rules)
    {
        var shipped = DefaultPolicy.Yaml;
        return shipped[..shipped.IndexOf("\nrules:\n", StringComparison.Ordinal)] + "\nrules:\n" + string.Concat(rules.Split('\n').Select(line => $"  {line}\n"));
    }

    private static Known Read(string block)
    {
        var known = new Known();
        foreach (var (path, value) in new Deserializer().Deserialize<Dictionary<string, object>>(block))
        {
            var field = Declared.Fields.SingleOrDefault(field => field.Path == path) ?? throw new InvalidOperationException($"There is no field {path}.");
            known.Add(path, Value(field.Type, value));
        }
        return known;
    }

    private static CelValue Value(CelType type, object value) => type.Kind switch
    {
        CelKind.Bool => CelValue.From(bool.Parse((string)value)),
        CelKind.Int => CelValue.From(long.Parse((string)value, CultureInfo.InvariantCulture)),
        CelKind.Double => CelValue.From(double.Parse((string)value, CultureInfo.InvariantCulture)),
        CelKind.String => CelValue.From((string)value),
        CelKind.Timestamp => CelValue.From(DateTimeOffset.Parse((string)value, CultureInfo.InvariantCulture)),
        CelKind.List => CelValue.From(((List<object>)value).ConvertAll(item => Value(type.Element!, item))),
        CelKind.Map => CelValue.From(((Dictionary<object, object>)value).ToDictionary(pair => (string)pair.Key, pair => CelValue.From((string)pair.Value))),
        _ => throw new InvalidOperationException($"No example has a value of type {type}."),
    };
}
