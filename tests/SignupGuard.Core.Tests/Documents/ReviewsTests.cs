using SignupGuard.Cel;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Reviews;

namespace SignupGuard.Core.Tests.Documents;

/// <summary>docs/reviews.md says what filters are.</summary>
public sealed class ReviewsTests
{
    private const string Name = "reviews.md";

    private static readonly CelEnvironment<ReviewRow> Environment = FilterFields.For(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!.Linkage.Rules);

    [Test]
    public void The_fields_of_filters_are_the_code_s()
    {
        var rules = FactsEnvironment.For(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!.Linkage.Rules).Fields.Select(field => field.Path).ToHashSet();
        Document.Holds(Name, "filter fields", CelReference.Markdown(Environment.Fields.Where(field => !rules.Contains(field.Path)), []));
    }

    [Test]
    public void The_examples_are_filters()
    {
        var examples = Document.Read(Name).Split("```cel\n")[1..].SelectMany(block => block[..block.IndexOf("```", StringComparison.Ordinal)].Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.That(examples, Has.Count.GreaterThan(4));
        foreach (var example in examples) Assert.That(ReviewFilter.Read(example, Environment).Issues, Is.Empty, example);
    }

    [Test]
    public void Every_field_of_the_table_but_three_is_answered_by_an_index()
    {
        var rules = FactsEnvironment.For(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!.Linkage.Rules).Fields.Select(field => field.Path).ToHashSet();
        Assert.That(
            Environment.Fields.Select(field => field.Path).Where(path => !rules.Contains(path) && !FilterFields.Indexable.ContainsKey(path)),
            Is.EquivalentTo(new[] { "signup.label", "decision.policy_version", "decision.at" }));
    }
}
