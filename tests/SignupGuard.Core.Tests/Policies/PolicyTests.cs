using CsCheck;
using SignupGuard.Core.Clusters;
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

    private static LinkSet NoLinks(Policy policy) => new(policy.Linkage.Rules);

    private static LinkSet Linked(Policy policy, params ReadOnlySpan<(LinkAttribute Attribute, long Accounts, double Others)> found)
    {
        var links = NoLinks(policy);
        foreach (var (attribute, accounts, others) in found)
        {
            var rule = policy.Linkage.Rules.Single(rule => rule.Kind == KeyKind.Of(attribute));
            links[rule.Index] = new Link
            {
                Present = true,
                Accounts = accounts,
                TenMinutes = accounts,
                Hour = accounts,
                Day = accounts,
                Others = others,
                Expected = double.NaN,
                Evidence = rule.HardEvidence(others),
                Promoted = rule.HardEvidence(others) > 0,
            };
        }
        return links;
    }

    private static ClusterFacts Network(long size, KeyGroups groups) => new()
    {
        Id = 1,
        Size = size,
        Denied = 0,
        ConfirmedBad = 0,
        ConfirmedGood = 0,
        LastHour = size,
        Groups = groups,
        FirstSeenMs = 0,
        LastSeenMs = 0,
    };

    [Test]
    public void The_default_policy_is_valid() => Assert.That(Default().Rules, Has.Count.GreaterThan(20));

    [Test]
    public void A_signup_of_which_nothing_is_known_is_allowed_and_every_rule_is_undecided()
    {
        var policy = Default();
        var judgement = policy.Judge(new Facts(Bare, NoSignals, NoLinks(policy), null));
        Assert.That(judgement.Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That(judgement.Reasons, Is.Empty);
        // Only rules that ask with has() can be decided over nothing.
        Assert.That(judgement.Undecided, Has.Count.GreaterThan(policy.Rules.Count - 3));
    }

    [TestCase(0, KeyGroups.None, Verdict.Review)]
    [TestCase(9, KeyGroups.Payment | KeyGroups.Device, Verdict.Review)]
    [TestCase(500, KeyGroups.Payment, Verdict.Review)]
    [TestCase(10, KeyGroups.Payment | KeyGroups.Device, Verdict.Deny)]
    public void Links_alone_deny_only_in_a_large_network_held_together_twice(long size, KeyGroups groups, Verdict verdict)
    {
        var policy = Default();
        var links = Linked(policy, (LinkAttribute.Card, 500, 499), (LinkAttribute.Phone, 500, 499));
        var judgement = policy.Judge(new Facts(Bare, NoSignals, links, size == 0 ? null : Network(size, groups)));
        Assert.That(judgement.Score, Is.GreaterThan(policy.DenyFrom));
        Assert.That(judgement.Verdict, Is.EqualTo(verdict));
    }

    [TestCase(8, Verdict.Review)]
    [TestCase(3, Verdict.Deny)]
    public void A_network_that_is_mostly_one_organisations_accounts_is_for_people_to_decide(long atItsDomain, Verdict verdict)
    {
        var policy = Default();
        var links = Linked(policy, (LinkAttribute.Card, 500, 499), (LinkAttribute.Phone, 500, 499), (LinkAttribute.Domain, atItsDomain, 0));
        Assert.That(policy.Judge(new Facts(Bare, NoSignals, links, Network(10, KeyGroups.Payment | KeyGroups.Device))).Verdict, Is.EqualTo(verdict));
    }

    [TestCase("net+user_agent", Verdict.Review)]
    [TestCase("bin+skeleton", Verdict.Deny)]
    public void Links_that_all_depend_on_the_network_deny_nobody_by_themselves(string key, Verdict verdict)
    {
        var policy = Default();
        var links = NoLinks(policy);
        links[policy.Linkage.Rules.Single(rule => rule.Kind.ToString() == key).Index] = new Link
        {
            Present = true,
            Promoted = true,
            Accounts = 500,
            Others = 499,
            Expected = 1,
            Surprise = 6,
            Gate = 1,
            Evidence = 12,
        };
        var judgement = policy.Judge(new Facts(Bare, NoSignals, links, Network(500, KeyGroups.Payment | KeyGroups.Device)));
        Assert.That(judgement.Score, Is.GreaterThan(policy.DenyFrom));
        Assert.That(judgement.Verdict, Is.EqualTo(verdict));
    }

    [Test]
    public void Four_accounts_on_one_device_are_reviewed_whatever_the_score()
    {
        var policy = Default();
        Assert.That(policy.Judge(new Facts(Bare, NoSignals, Linked(policy, (LinkAttribute.Device, 4, 0)), null)).Verdict, Is.EqualTo(Verdict.Review));
    }

    [Test]
    public void Precedence_is_one_total_fold()
    {
        var policy = Default();
        Gen.Select(Gen.Int[0, 3], Gen.Double[0, 100], Gen.Double[0, 100]).Sample((rule, score, own) =>
        {
            Verdict? outright = rule == 0 ? null : (Verdict)rule;
            var verdict = policy.Fold(outright, score, own, networkDenies: false);
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
    [TestCase("linkage: { keys: [{ key: crad, class: hard, half_life_days: 1 }] }", "linkage.keys[0].key", "card")]
    [TestCase("linkage: { keys: [{ key: card, class: hard, half_life_days: 0 }] }", "linkage.keys[0].half_life_days", "0.01")]
    [TestCase("linkage: { keys: [{ key: ip+bin, class: soft, half_life_days: 3 }] }", "linkage.keys[0].key", "part ip")]
    [TestCase("linkage: { soft: { best: 0 } }", "linkage.soft.best", "1 to 32")]
    [TestCase("linkage: { anomalous: ip.hostin }", "linkage.anomalous", "ip.hosting")]
    [TestCase("surprise: 1", "line 6", "surprise")]
    public void A_wrong_policy_is_refused_where_it_is_wrong(string part, string path, string message)
    {
        var reading = PolicyReader.Read($"name: x\nbase_rate: 0.1\nthresholds: {{ review: 50, deny: 90 }}\nfailure_verdict: review\n\n{part}\n", 1);
        Assert.That(reading.Policy, Is.Null);
        Assert.That(reading.Issues.Select(issue => issue.Path), Has.Some.EqualTo(path));
        Assert.That(reading.Issues.Select(issue => issue.Description), Has.Some.Contains(message));
    }

    [Test]
    public void Any_text_is_read_or_refused_and_never_throws() =>
        Gen.String[Gen.Char["abc:{}[]-'\"\n \t|>&*!%@0"], 0, 80].Sample(text => PolicyReader.Read(text, 1).Policy is null, iter: 5_000);
}
