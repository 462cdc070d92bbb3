using SignupGuard.Core.Backtests;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Backtests;

/// <summary>Few signups and few rules, so that every figure can be counted on paper.</summary>
public sealed class BacktestTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly SignupSignals Nothing = new()
    {
        Email = Signal<EmailSignals>.Missing("NONE"),
        Phone = Signal<PhoneSignals>.Missing("NONE"),
        Ip = Signal<IpSignals>.Missing("NONE"),
        Device = Signal<DeviceSignals>.Missing("NONE"),
        Payment = Signal<PaymentSignals>.Missing("NONE"),
    };

    /// <summary>Without evidence a score is 50: allow. One point makes it 73, two 88: review.</summary>
    private static Policy Read(long version, string rules, string keys = "{ key: card, class: hard, tolerance: 1, half_life_days: 60, weight: 2 }")
    {
        var reading = PolicyReader.Read(
            $$"""
            name: small
            base_rate: 0.5
            calibration: { slope: 1, intercept: 0 }
            thresholds: { review: 60, deny: 95 }
            failure_verdict: review
            safeguard: { cluster_size: 3, key_groups: 1, organisation_share: 0.9 }
            linkage:
              soft: { expected_min: 0.35, count_min: 1.2, ratio_min: 2.5, surprise_max: 6, gate_floor: 0.25, gate_from: 0.12, gate_width: 0.38, best: 4, rank_factor: 0.55, weight: 0.55, organisation_accounts: 2 }
              promotion: { surprise: 3, gate: 0.6, bad: 2, bad_share: 0.5 }
              keys:
                - {{keys}}
            rules:
            {{rules}}
            """,
            version);
        Assert.That(reading.Issues, Is.Empty);
        return reading.Policy!;
    }

    private const string One = "  - { id: one, when: \"event.product == 'a'\", points: 1, code: ONE, text: One. }\n";
    private const string Two = "  - { id: two, when: \"event.campaign == 'b'\", points: 1, code: TWO, text: Two. }\n";
    private const string Refused = "  - { id: refused, when: \"event.referral_code == 'c'\", verdict: deny, code: REFUSED, text: Refused. }\n";
    private const string Young = "  - { id: young, when: \"subject.age < 16\", points: 3, code: YOUNG, text: Young. }\n";

    private static BacktestSignup Signup(int number, string product, string campaign, string code, Policy policy, int? card = null, (Verdict, Verdict)? stored = null, bool reported = true, int day = 0)
    {
        var keys = new LinkKey[policy.Linkage.Rules.Count];
        if (card is { } value) keys[0] = KeyHasher.Combine(KeyKind.Of(LinkAttribute.Card), new LinkKey((UInt128)(value + 1)));
        var linkable = new LinkableSignup(
            new Signup
            {
                SignupId = $"s{number}",
                OccurredAt = Start.AddDays(day).AddMinutes(number),
                Event = new SignupEvent("web", product, campaign, code, false),
            },
            Nothing,
            new DerivedKeys { Keys = keys, Spreads = new int?[keys.Length], Account = number, Organisation = null });
        return new BacktestSignup(linkable, linkable, Begins: true, reported, stored);
    }

    private static BacktestReport Run(Policy baseline, Policy candidate, IReadOnlyList<BacktestSignup> signups, params BacktestLabel[] labels)
    {
        var backtest = new Backtest(baseline, candidate);
        backtest.Screen(signups, labels);
        return backtest.Report(complete: true);
    }

    [Test]
    public void Moves_hits_overlaps_and_what_each_rule_changes_are_as_counted_by_hand()
    {
        var (baseline, candidate) = (Read(1, One), Read(2, One + Two + Refused + Young));
        var report = Run(
            baseline,
            candidate,
            [
                Signup(1, "a", "-", "-", candidate),           // 73: review by one alone
                Signup(2, "a", "b", "-", candidate),           // 88: review by one or two, neither alone decides
                Signup(3, "-", "-", "c", candidate, day: 1),   // deny outright
                Signup(4, "-", "-", "-", candidate, day: 1),   // allow
                Signup(5, "-", "b", "c", candidate, day: 1),   // deny outright; without it 73: review
            ],
            new BacktestLabel(5, 3, Label.Bad),
            new BacktestLabel(5, 1, Label.Good));

        Assert.That((report.BaselineVersion, report.CandidateVersion, report.Signups), Is.EqualTo((1L, 2L, 5L)));
        var moves = report.Moves.Where(move => move.Signups > 0).Select(move => (move.From, move.To, move.Signups, move.Bad, move.Good));
        Assert.That(moves, Is.EquivalentTo(new[]
        {
            (Verdict.Allow, Verdict.Allow, 1L, 0L, 0L),
            (Verdict.Allow, Verdict.Deny, 2L, 1L, 0L),
            (Verdict.Review, Verdict.Review, 2L, 0L, 1L),
        }));
        Assert.That(report.Moves, Has.Count.EqualTo(9));
        var denied = report.Moves.Single(move => move is { From: Verdict.Allow, To: Verdict.Deny });
        Assert.That(denied.Samples.Select(sample => sample.Ordinal), Is.EqualTo(new[] { 3L, 5L }));
        Assert.That(denied.Samples[1].ReasonCodes, Is.EqualTo(new[] { "REFUSED", "TWO" }));

        Assert.That(report.Rules.Select(rule => (rule.RuleId, rule.Hits, rule.Bad, rule.Good, rule.Undecided, rule.Marginal)), Is.EqualTo(new (string, long, long, long, long, long?)[]
        {
            ("one", 2, 0, 1, 0, 1),
            ("two", 2, 0, 0, 0, 0),
            ("refused", 2, 1, 0, 0, 2),
            ("young", 0, 0, 0, 5, 0),
        }));
        Assert.That(report.Overlaps.Select(pair => (pair.RuleId, pair.OtherRuleId, pair.Both, pair.Jaccard)), Is.EqualTo(new[]
        {
            ("one", "two", 1L, 1 / 3d),
            ("refused", "two", 1L, 1 / 3d),
        }));
        Assert.That(report.Days, Is.EqualTo(new[]
        {
            new DayLoad(new DateOnly(2026, 3, 1), 2, 2, 2, 0, 0),
            new DayLoad(new DateOnly(2026, 3, 2), 3, 0, 0, 0, 2),
        }));
        var web = report.Populations.Single(part => part.Dimension == "channel");
        Assert.That((web.Value, web.Signups, web.MoreSevere, web.LessSevere, web.BaselineFlagged, web.CandidateFlagged), Is.EqualTo(("web", 5L, 2L, 0L, 2L, 4L)));
    }

    [Test]
    public void Measures_are_over_labelled_signups_alone()
    {
        var (baseline, candidate) = (Read(1, One), Read(2, One + Refused));
        var report = Run(
            baseline,
            candidate,
            [Signup(1, "a", "-", "-", candidate), Signup(2, "-", "-", "c", candidate), Signup(3, "-", "-", "-", candidate), Signup(4, "-", "-", "c", candidate)],
            new BacktestLabel(4, 1, Label.Good),
            new BacktestLabel(4, 2, Label.Bad),
            new BacktestLabel(4, 3, Label.Bad));
        var (one, other) = (report.BaselineMeasures!, report.CandidateMeasures!);
        Assert.That((other.Bad, other.Good), Is.EqualTo((2L, 1L)));
        Assert.That((one.FlaggedPrecision!.Value, one.FlaggedRecall!.Value, one.FlaggedFalsePositiveRate!.Value), Is.EqualTo((0d, 0d, 1d)));
        Assert.That((other.FlaggedPrecision!.Value, other.FlaggedRecall!.Value, other.FlaggedFalsePositiveRate!.Value), Is.EqualTo((0.5, 0.5, 1d)));
        Assert.That((other.DeniedPrecision!.Value, other.DeniedRecall!.Of, other.DeniedFalsePositiveRate!.Value), Is.EqualTo((1d, 2L, 0d)));
        Assert.That(one.DeniedPrecision, Is.Null, "the baseline denies nobody");
        Assert.That(Run(baseline, candidate, [Signup(1, "a", "-", "-", candidate)]).CandidateMeasures, Is.Null, "nobody is labelled");
    }

    [Test]
    public void Networks_that_only_the_candidate_sees_are_merged_ones_of_none()
    {
        var unlinked = Read(1, One, "{ key: card, class: hard, tolerance: 1, half_life_days: 60, weight: 2, promotes: false }");
        var linked = Read(2, One);
        List<BacktestSignup> signups = [.. Enumerable.Range(1, 8).Select(number => Signup(number, "-", "-", "-", linked, card: number % 2))];
        var report = Run(unlinked, linked, signups);
        Assert.That((report.Clusters.Baseline, report.Clusters.Candidate, report.Clusters.CandidateAccounts), Is.EqualTo((0L, 2L, 8L)));
        Assert.That((report.Clusters.Merged, report.Clusters.Split), Is.EqualTo((0L, 0L)));
        var back = Run(linked, unlinked, signups);
        Assert.That((back.Clusters.Baseline, back.Clusters.Split), Is.EqualTo((2L, 2L)), "both fall apart");
        Assert.That(report.Rules.Single(rule => rule.RuleId == "link.card").Marginal, Is.Null);
    }

    [Test]
    public void Signups_before_the_time_warm_the_memory_and_are_not_reported()
    {
        var policy = Read(1, One);
        List<BacktestSignup> signups = [.. Enumerable.Range(1, 6).Select(number => Signup(number, "-", "-", "-", policy, card: 1, reported: number > 4))];
        var report = Run(policy, policy, signups);
        Assert.That((report.Signups, report.WarmUp.Signups, report.WarmUp.FromMs), Is.EqualTo((2L, 4L, (long?)Start.AddMinutes(1).ToUnixTimeMilliseconds())));
        Assert.That(report.Rules.Single(rule => rule.RuleId == "link.card").Hits, Is.EqualTo(2), "they see the accounts before them");
    }

    [Test]
    public void What_was_stored_is_held_against_the_baseline()
    {
        var policy = Read(1, One);
        var report = Run(
            policy,
            policy,
            [
                Signup(1, "a", "-", "-", policy, stored: (Verdict.Review, Verdict.Review)),
                Signup(2, "-", "-", "-", policy, stored: (Verdict.Allow, Verdict.Deny)),
                Signup(3, "-", "-", "-", policy),
            ]);
        Assert.That((report.FirstAsStored!.Value, report.FirstAsStored.Of, report.InForceAsStored!.Value), Is.EqualTo((1d, 2L, 0.5)));
    }

    [Test]
    public void Lists_decide_as_they_did_and_a_rule_they_outrank_decides_nothing()
    {
        var (baseline, candidate) = (Read(1, One), Read(2, One + Refused));
        var allowed = ListHits.Of([new ListHit("partners", ListEffect.Allow, ListType.Account, default, null)]);
        var signup = Signup(1, "-", "-", "c", candidate);
        signup = signup with { Baseline = signup.Baseline with { Lists = allowed }, Candidate = signup.Candidate with { Lists = allowed } };
        var report = Run(baseline, candidate, [signup]);
        Assert.That(report.Moves.Single(move => move.Signups == 1), Has.Property(nameof(VerdictMove.To)).EqualTo(Verdict.Allow));
        Assert.That(report.Rules.Where(rule => rule.Hits > 0).Select(rule => (rule.RuleId, rule.Marginal)), Is.EqualTo(new (string, long?)[] { ("refused", 0), ("list", null) }));
    }

    [Test]
    public void Samples_are_bounded_and_spread_over_the_time()
    {
        var (baseline, candidate) = (Read(1, One), Read(2, One + Refused));
        var report = Run(baseline, candidate, [.. Enumerable.Range(1, 1_000).Select(number => Signup(number, "-", "-", "c", candidate))]);
        var samples = report.Moves.Single(move => move.Signups == 1_000).Samples;
        Assert.That(samples, Has.Count.InRange(Backtest.SamplesMax / 2, Backtest.SamplesMax));
        Assert.That(samples[^1].Ordinal, Is.GreaterThan(900));
        Assert.That(samples[0].Ordinal, Is.EqualTo(1));
    }
}
