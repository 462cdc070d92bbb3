using Microsoft.Extensions.Configuration;
using SignupGuard.Cli.Policies;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.IntegrationTests.Policies;

public sealed class PolicyCasesTests
{
    private static readonly string CasesFile = Path.Combine(Repository(), "src", "SignupGuard.Core", "Policies", "default-policy.cases.yaml");

    private static string Repository()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SignupGuard.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }

    private PolicyCaseRunner _runner = null!;

    [OneTimeSetUp]
    public void Load() => _runner = new PolicyCaseRunner(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!, new ConfigurationBuilder().Build());

    [OneTimeTearDown]
    public void Unload() => _runner.Dispose();

    private CaseResult Run(string yaml)
    {
        var cases = PolicyCases.Read(yaml, out var problem);
        Assert.That(problem, Is.Null);
        return _runner.Run(cases!.Cases.Single());
    }

    [Test]
    public void The_shipped_policy_passes_its_cases_and_every_rule_of_it_fires_in_one()
    {
        var cases = PolicyCases.Read(File.ReadAllText(CasesFile), out var problem);
        Assert.That(problem, Is.Null);
        var results = cases!.Cases.Select(_runner.Run).ToList();
        Assert.That(results.Where(result => result.Problems.Count > 0).Select(result => $"{result.Name}: {string.Join("; ", result.Problems)}"), Is.Empty);
        var fired = results.SelectMany(result => result.Fired).ToHashSet();
        Assert.That(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!.Rules.Where(rule => rule.Mode == RuleMode.Live && !fired.Contains(rule.Id)).Select(rule => rule.Id), Is.Empty);
    }

    [TestCase("verdict: deny", "expected deny, got allow")]
    [TestCase("reasons: [IP_TOR]", "expected the reason IP_TOR")]
    [TestCase("without: [EMAIL_DISPOSABLE]", "did not expect the reason EMAIL_DISPOSABLE")]
    [TestCase("labels: [seen]", "expected the label seen")]
    [TestCase("obligations: ['require:phone']", "expected the obligation require:phone")]
    [TestCase("score_min: 99", "expected a score of 99 to 100")]
    [TestCase("score_max: 1", "expected a score of 0 to 1")]
    public void A_case_that_expects_otherwise_fails_and_says_how(string expect, string problem) =>
        Assert.That(
            Run($"cases: [{{ name: n, signup: {{ email: {{ address: a@mailinator.com }} }}, expect: {{ {expect} }} }}]").Problems,
            Has.Exactly(1).StartsWith(problem));

    [Test]
    public void Signups_before_it_are_screened_first_by_the_same_policy() =>
        Assert.That(
            Run("""
                cases:
                  - name: fourth account on a card
                    after: [{ repeat: 3, signup: { email: { address: "p{n}@gmail.com" }, subject: { familyName: "N{n}" }, payment: { instrumentFingerprint: c } } }]
                    signup: { email: { address: q@gmail.com }, subject: { familyName: Q }, payment: { instrumentFingerprint: c } }
                    expect: { reasons: [CARD_SHARED, CARD_MANY_NAMES] }
                """).Problems,
            Is.Empty);

    [TestCase("signup: { email: { address: nothing } }, expect: {}", "signup: signup.email.address")]
    [TestCase("signup: { emial: {} }, expect: {}", "signup: signup.emial")]
    [TestCase("signup: { email: { address: a@b.example } }, links: { shoe: { accounts: 2 } }", "links: the policy has no linkage rule for `shoe`")]
    [TestCase("signup: { email: { address: a@b.example } }, lists: { l: forbid }", "lists: `forbid`")]
    [TestCase("signup: { email: { address: a@b.example } }, cluster: { size: 3, key_groups: [shoes] }", "cluster: `shoes`")]
    [TestCase("signup: { email: { address: a@b.example } }, after: [{ repeat: 0, signup: {} }]", "after: repeat")]
    public void A_case_that_can_not_be_run_fails_and_says_why(string given, string problem) =>
        Assert.That(Run($"cases: [{{ name: n, {given} }}]").Problems.Single(), Does.StartWith(problem));

    [TestCase("")]
    [TestCase("cases: []")]
    [TestCase("cases: [~]")]
    [TestCase("cases: [{ name: n, expects: {} }]")]
    [TestCase("cases: [{ name: n")]
    public void A_file_without_cases_is_refused(string yaml)
    {
        Assert.That(PolicyCases.Read(yaml, out var problem), Is.Null);
        Assert.That(problem, Is.Not.Empty);
    }
}
