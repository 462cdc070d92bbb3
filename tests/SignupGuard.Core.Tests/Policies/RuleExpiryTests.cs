using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Policies;

public sealed class RuleExpiryTests
{
    private static readonly SignupSignals NoSignals = new()
    {
        Email = Signal<EmailSignals>.Missing("ABSENT"),
        Phone = Signal<PhoneSignals>.Missing("ABSENT"),
        Ip = Signal<IpSignals>.Missing("ABSENT"),
        Device = Signal<DeviceSignals>.Missing("ABSENT"),
        Payment = Signal<PaymentSignals>.Missing("ABSENT"),
    };

    private static PolicyReading Read(string expires) =>
        PolicyReader.Read(DefaultPolicy.Yaml.Replace("rules:\n", $"rules:\n  - {{ id: brief, when: 'true', verdict: deny, code: BRIEF, text: For a time., owner: ada, expires: {expires} }}\n", StringComparison.Ordinal), 7);

    private static Verdict Judge(Policy policy, DateTimeOffset at) =>
        policy.Judge(new Facts(new Signup { SignupId = "s", OccurredAt = at }, NoSignals, new LinkSet(policy.Linkage.Rules), null)).Verdict;

    [TestCase("2026-12-31", "2026-12-31T00:00:00Z")]
    [TestCase("2026-12-31T18:30:00Z", "2026-12-31T18:30:00Z")]
    [TestCase("'2026-12-31T18:30:00+02:00'", "2026-12-31T16:30:00Z")]
    public void It_fires_until_then_and_not_from_then_on(string written, string expires)
    {
        var policy = Read(written).Policy!;
        var end = DateTimeOffset.Parse(expires, System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(policy.Rules.Single(rule => rule.Id == "brief") is { Owner: "ada" });
        Assert.That(policy.Rules.Single(rule => rule.Id == "brief").Expires, Is.EqualTo(end));
        Assert.That(Judge(policy, end.AddMilliseconds(-1)), Is.EqualTo(Verdict.Deny));
        Assert.That(Judge(policy, end), Is.EqualTo(Verdict.Allow));
        Assert.That(Judge(policy, end.AddYears(1)), Is.EqualTo(Verdict.Allow));
    }

    [TestCase("soon")]
    [TestCase("31.12.2026")]
    [TestCase("2026-02-30")]
    [TestCase("''")]
    public void What_is_no_time_is_an_issue(string written)
    {
        var issue = Read(written).Issues.Single();
        Assert.That((issue.Path, issue.RuleId), Is.EqualTo(("rules[0].expires", "brief")));
    }
}
