using CsCheck;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Lists;

/// <summary>What lists do to a decision.</summary>
public sealed class ListDecisionTests
{
    private static Policy Rules(string rules)
    {
        var reading = PolicyReader.Read($"name: x\nbase_rate: 0.1\nthresholds: {{ review: 50, deny: 90 }}\nfailure_verdict: review\nrules:\n{rules}", 1);
        return reading.Policy ?? throw new InvalidOperationException(string.Join("; ", reading.Issues));
    }

    private static ListHits On(params (string List, ListEffect Effect)[] lists) =>
        ListHits.Of(lists.Select(list => new ListHit(list.List, list.Effect, ListType.Email, default, "why")));

    private static Judgement Judge(Policy policy, ListHits lists) =>
        policy.Judge(new Facts(ListFixture.Bare, ListFixture.Signals(ListFixture.Bare), new LinkSet(policy.Linkage.Rules), null, lists));

    [TestCase(ListEffect.Allow, Verdict.Allow, "LIST_ALLOWED")]
    [TestCase(ListEffect.Deny, Verdict.Deny, "LIST_DENIED")]
    [TestCase(ListEffect.Watch, Verdict.Allow, "LIST_WATCHED")]
    public void A_list_decides_with_its_name_and_reason_and_without_points(ListEffect effect, Verdict verdict, string code)
    {
        var without = Judge(ListFixture.Policy, ListHits.None);
        var judgement = Judge(ListFixture.Policy, On(("vip", effect)));
        Assert.That(judgement.Verdict, Is.EqualTo(verdict));
        Assert.That(judgement.Score, Is.EqualTo(without.Score));
        var reason = judgement.Reasons.Single(reason => reason.Code == code);
        Assert.That((reason.Contribution, reason.Text), Is.EqualTo((0d, $"On the {effect.ToString().ToLowerInvariant()} list vip: why")));
        Assert.That(judgement.Labels, Is.EqualTo(effect == ListEffect.Watch ? new[] { "watch:vip" } : []));
    }

    /// <summary>The one order: allow (a list's or a rule's), deny (a list's or a rule's), review by rule, the score.</summary>
    [Test]
    public void Precedence_is_allow_then_deny_then_review_then_the_score() =>
        Gen.Select(Gen.Enum<ListEffect>().Array[0, 4], Gen.Int[0, 3].Array[0, 4], Gen.Double[-20, 20]).Sample((lists, outright, points) =>
        {
            var rules = outright.Select((verdict, i) => verdict == 0
                ? ""
                : $"  - {{ id: r{i}, when: 'true', verdict: {((Verdict)verdict).ToString().ToLowerInvariant()}, code: R, text: t }}\n");
            var policy = Rules(string.Concat(rules) + string.Create(System.Globalization.CultureInfo.InvariantCulture, $"  - {{ id: s, when: 'true', points: {points:F3}, code: S, text: t }}\n"));
            var judgement = Judge(policy, On([.. lists.Select((effect, i) => ($"list{i}", effect))]));
            var byScore = judgement.Score >= policy.DenyFrom ? Verdict.Deny : judgement.Score >= policy.ReviewFrom ? Verdict.Review : Verdict.Allow;
            var expected = lists.Contains(ListEffect.Allow) || outright.Contains((int)Verdict.Allow) ? Verdict.Allow
                : lists.Contains(ListEffect.Deny) || outright.Contains((int)Verdict.Deny) ? Verdict.Deny
                : outright.Contains((int)Verdict.Review) && byScore == Verdict.Allow ? Verdict.Review
                : byScore;
            return judgement.Verdict == expected;
        }, iter: 2_000);

    [Test]
    public void Rules_read_the_lists_by_name()
    {
        var policy = Rules(
            """
              - { id: vip, when: "'vip' in list.names", points: -5, code: VIP, text: t }
              - { id: watched, when: "list.watch.size() >= 2", verdict: review, code: WATCHED_TWICE, text: t }
              - { id: quiet, when: "!('vip' in list.names)", points: 0.5, code: QUIET, text: t }
            """);
        static string[] Codes(Judgement judgement) => [.. judgement.Reasons.Select(reason => reason.Code).Where(code => !code.StartsWith("LIST_", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.That(Codes(Judge(policy, On(("vip", ListEffect.Watch)))), Is.EqualTo(new[] { "VIP" }));
        Assert.That(Codes(Judge(policy, On(("a", ListEffect.Watch), ("b", ListEffect.Watch)))), Is.EqualTo(new[] { "QUIET", "WATCHED_TWICE" }));
        Assert.That(Codes(Judge(policy, ListHits.None)), Is.EqualTo(new[] { "QUIET" }));
    }

    [Test]
    public void A_stored_decision_replays_to_the_same_answer()
    {
        var policy = ListFixture.Policy;
        Gen.Select(Gen.Enum<ListEffect>(), Gen.Enum<ListType>(), Gen.String, Gen.ULong).Array[0, 5].Sample(hits =>
        {
            var lists = ListHits.Of(hits.Select((hit, i) => new ListHit(
                $"list{i}", hit.Item1, hit.Item2, new ListKey(hit.Item4), hit.Item3.Length is 0 or > ListHits.TextCharactersMax || !IsText(hit.Item3) ? null : hit.Item3)));
            var facts = new Facts(ListFixture.Bare, ListFixture.Signals(ListFixture.Bare), new LinkSet(policy.Linkage.Rules), null, lists);
            var decided = policy.Judge(facts);
            var stored = DecisionFacts.Decode(DecisionFacts.Encode(facts.Links, null, lists));
            var again = stored.Judge(policy, facts.Signup, facts.Signals);
            return stored.Lists.All.SequenceEqual(lists.All) && again.Verdict == decided.Verdict && again.Reasons.SequenceEqual(decided.Reasons) && again.Labels.SequenceEqual(decided.Labels);
        });
    }

    private static bool IsText(string text) => text.EnumerateRunes().All(rune => rune.Value != 0xFFFD);

    [Test]
    public void A_stored_decision_without_lists_is_as_it_was_before_there_were_any()
    {
        var links = new LinkSet(ListFixture.Policy.Linkage.Rules);
        Assert.That(DecisionFacts.Encode(links, null), Is.EqualTo(new byte[] { 1, 0 }));
        Assert.That(DecisionFacts.Decode([1, 0]).Lists, Is.SameAs(ListHits.None));
    }

    [Test]
    public void A_second_look_does_not_deny_a_member_on_an_allow_list()
    {
        LinkableSignup Signup(int account, ListHits lists)
        {
            var rules = ListFixture.Policy.Linkage.Rules;
            var derived = new LinkKey[rules.Count];
            foreach (var attribute in new[] { LinkAttribute.Card, LinkAttribute.Device })
            {
                var rule = rules.Single(rule => rule.Kind == KeyKind.Of(attribute));
                derived[rule.Index] = KeyHasher.Combine(rule.Kind, new LinkKey(1));
            }
            return new LinkableSignup(
                new Signup { SignupId = $"s{account}", OccurredAt = ListFixture.At.AddMinutes(account) },
                ListFixture.Signals(ListFixture.Bare),
                new DerivedKeys
                {
                    Keys = derived,
                    Spreads = new int?[rules.Count],
                    Account = account,
                    Organisation = null,
                })
            { Lists = lists };
        }

        var memory = new MemoryScreening(ListFixture.Policy);
        var allowed = memory.Screen(Signup(1, On(("partners", ListEffect.Allow)))).Ordinal;
        var other = memory.Screen(Signup(2, ListHits.None)).Ordinal;
        for (var i = 3; i <= 40; i++) memory.Screen(Signup(i, ListHits.None));
        var changed = new Dictionary<long, Verdict>();
        memory.DrainWorker((ordinal, judgement) => changed[ordinal] = judgement.Verdict);
        Assert.That(changed.GetValueOrDefault(other), Is.EqualTo(Verdict.Deny));
        Assert.That(changed, Does.Not.ContainKey(allowed));
    }
}
