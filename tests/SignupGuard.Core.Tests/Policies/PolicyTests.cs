using CsCheck;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Policies;

public sealed class PolicyTests
{
    private static Policy Default()
    {
        var reading = PolicyReader.Read(DefaultPolicy.Yaml, 1);
        Assert.That(reading.Issues, Is.Empty);
        return reading.Policy!;
    }

    private static readonly SignupSignals NoSignals = new()
    {
        Email = Signal<EmailSignals>.Missing("ABSENT"),
        Phone = Signal<PhoneSignals>.Missing("ABSENT"),
        Ip = Signal<IpSignals>.Missing("ABSENT"),
        Device = Signal<DeviceSignals>.Missing("ABSENT"),
        Payment = Signal<PaymentSignals>.Missing("ABSENT"),
    };

    private static readonly Signup Bare = new() { SignupId = "s", OccurredAt = DateTimeOffset.UnixEpoch };

    private static Link LinkOf(Policy policy, LinkAttribute attribute, long accounts, double earlier)
    {
        var rule = policy.Linkage.Single(rule => rule.Kind == KeyKind.Of(attribute));
        return new Link
        {
            Key = default,
            Rule = rule,
            Accounts = accounts,
            TenMinutes = accounts,
            Hour = accounts,
            Day = accounts,
            Earlier = earlier,
            Evidence = rule.HardEvidence(earlier),
            ConfirmedBad = 0,
            Cluster = 0,
            Samples = [],
        };
    }

    [Test]
    public void The_default_policy_is_valid() => Assert.That(Default().Rules, Has.Count.GreaterThan(20));

    [Test]
    public void A_signup_of_which_nothing_is_known_is_allowed_and_every_rule_is_undecided()
    {
        var policy = Default();
        var judgement = policy.Judge(new Facts(Bare, NoSignals, []));
        Assert.That(judgement.Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That(judgement.Reasons, Is.Empty);
        // Only rules that ask with has() can be decided over nothing.
        Assert.That(judgement.Undecided, Has.Count.GreaterThan(policy.Rules.Count - 3));
    }

    [Test]
    public void Links_alone_review_but_never_deny()
    {
        var policy = Default();
        var judgement = policy.Judge(new Facts(Bare, NoSignals, [LinkOf(policy, LinkAttribute.Card, 500, 499), LinkOf(policy, LinkAttribute.Phone, 500, 499)]));
        Assert.That(judgement.Score, Is.GreaterThan(policy.DenyFrom));
        Assert.That(judgement.Verdict, Is.EqualTo(Verdict.Review));
    }

    [Test]
    public void Four_accounts_on_one_device_are_reviewed_whatever_the_score()
    {
        var policy = Default();
        var link = LinkOf(policy, LinkAttribute.Device, 4, 0) with { Evidence = 0 };
        Assert.That(policy.Judge(new Facts(Bare, NoSignals, [link])).Verdict, Is.EqualTo(Verdict.Review));
    }

    [Test]
    public void Precedence_is_one_total_fold()
    {
        var policy = Default();
        Gen.Select(Gen.Int[0, 3], Gen.Double[0, 100], Gen.Double[0, 100]).Sample((rule, score, own) =>
        {
            Verdict? outright = rule == 0 ? null : (Verdict)rule;
            var verdict = policy.Fold(outright, score, own);
            if (outright is Verdict.Allow or Verdict.Deny) return verdict == outright;
            if (outright == Verdict.Review && verdict == Verdict.Allow) return false;
            if (verdict == Verdict.Deny) return score >= policy.DenyFrom && own >= policy.ReviewFrom;
            return verdict == Verdict.Review ? outright == Verdict.Review || score >= policy.ReviewFrom : score < policy.ReviewFrom;
        });
    }

    [Test]
    public void Outright_rules_combine_in_any_order_to_the_same_verdict()
    {
        Gen.Int[0, 3].Array[0, 6].Sample(rules =>
        {
            var verdicts = rules.Select(rule => rule == 0 ? (Verdict?)null : (Verdict)rule).ToArray();
            var forward = verdicts.Aggregate((Verdict?)null, Policy.Stronger);
            return verdicts.Reverse().Aggregate((Verdict?)null, Policy.Stronger) == forward;
        });
    }

    [TestCase("rules: [{ id: a, when: email.fre, points: 1, code: A, text: t }]", "rules[0].when", "email.free")]
    [TestCase("rules: [{ id: a, when: 'true', code: A, text: t }]", "rules[0]", "either points or a verdict")]
    [TestCase("rules: [{ id: a, when: 1 + 1, points: 1, code: A, text: t }]", "rules[0].when", "bool")]
    [TestCase("linkage: [{ key: crad, class: hard, half_life_days: 1 }]", "linkage[0].key", "card")]
    [TestCase("linkage: [{ key: card, class: hard, half_life_days: 0 }]", "linkage[0].half_life_days", "0.01")]
    [TestCase("surprise: 1", "line 6", "surprise")]
    public void A_wrong_policy_is_refused_where_it_is_wrong(string part, string path, string message)
    {
        var reading = PolicyReader.Read($"name: x\nbase_rate: 0.1\nthresholds: {{ review: 50, deny: 90 }}\nfailure_verdict: review\n\n{part}\n", 1);
        Assert.That(reading.Policy, Is.Null);
        Assert.That(reading.Issues.Select(issue => issue.Path), Has.Some.EqualTo(path));
        Assert.That(reading.Issues.Select(issue => issue.Message), Has.Some.Contains(message));
    }

    [Test]
    public void Any_text_is_read_or_refused_and_never_throws() =>
        Gen.String[Gen.Char["abc:{}[]-'\"\n \t|>&*!%@0"], 0, 80].Sample(text => PolicyReader.Read(text, 1).Policy is null, iter: 5_000);
}
