using SignupGuard.Core.Decisions;
using SignupGuard.Core.Evaluation;

namespace SignupGuard.Core.Tests.Evaluation;

public sealed class DetectionMetricsTests
{
    private static readonly HashSet<string> None = [];

    private static EvaluatedSignup Signup(long ordinal, bool fraud, double logOdds, Verdict verdict = Verdict.Allow, string? campaign = null, string? group = null)
    {
        var signup = new EvaluatedSignup
        {
            Ordinal = ordinal,
            AtMs = ordinal * 1000,
            Fraud = fraud,
            Group = group ?? (fraud ? "attack" : "people"),
            Campaign = campaign,
            FirstVerdict = verdict,
            FirstLogOdds = logOdds,
            FirstScore = 100 / (1 + Math.Exp(-logOdds)),
        };
        signup.Begin();
        return signup;
    }

    private static Judgement Judgement(Verdict verdict, double logOdds) => new()
    {
        Verdict = verdict,
        LogOdds = logOdds,
        Score = 100 / (1 + Math.Exp(-logOdds)),
        Reasons = [],
        Labels = [],
        Obligations = [],
        Undecided = [],
    };

    [Test]
    public void Recall_is_the_share_of_later_fraud_above_what_earlier_people_score()
    {
        // 1,000 people score 0 to 999; the threshold of 1 % is fixed on the first 40 % of the stream, where they score up to 399.
        var signups = Enumerable.Range(1, 1000).Select(i => Signup(i, fraud: false, i % 400)).ToList();
        for (var i = 0; i < 100; i++) signups.Add(Signup(1001 + i, fraud: true, i < 70 ? 1000 : 0));
        var report = DetectionMetrics.Measure(signups, None);
        Assert.That(report.RecallAtFpr["0.01"], Is.EqualTo(0.7));
        Assert.That(report.FprAttained["0.01"], Is.LessThanOrEqualTo(0.02));
    }

    [Test]
    public void Families_that_nothing_links_are_left_out_where_it_says_so()
    {
        var signups = Enumerable.Range(1, 100).Select(i => Signup(i, fraud: false, 0)).ToList();
        signups.AddRange(Enumerable.Range(101, 50).Select(i => Signup(i, fraud: true, 5)));
        signups.AddRange(Enumerable.Range(151, 50).Select(i => Signup(i, fraud: true, -5, group: "ghosts")));
        var report = DetectionMetrics.Measure(signups, new HashSet<string> { "ghosts" });
        Assert.That(report.RecallAtFpr["0.01"], Is.EqualTo(0.5));
        Assert.That(report.RecallAtFprLinkable["0.01"], Is.EqualTo(1));
    }

    [Test]
    public void Escapes_end_when_half_of_a_campaign_so_far_is_flagged()
    {
        // Three get in, three are flagged: at the sixth, half are.
        var signups = Enumerable.Range(1, 20).Select(i => Signup(i, fraud: true, 0, i is >= 4 and <= 6 || i > 10 ? Verdict.Deny : Verdict.Allow, "one")).ToList();
        Assert.That(DetectionMetrics.Measure(signups, None).EscapedBeforeHalfCaught.Median, Is.EqualTo(3));
    }

    [Test]
    public void A_second_look_counts_from_the_moment_it_came()
    {
        var signups = Enumerable.Range(1, 10).Select(i => Signup(i, fraud: true, 0, campaign: "one")).ToList();
        // After the fourth signup the first two are raised: at the fifth, two of five are flagged; at the fifth raise, half.
        foreach (var early in signups.Take(2)) early.Raise(Judgement(Verdict.Review, 3), afterOrdinal: 4, atMs: 4000);
        signups[2].Raise(Judgement(Verdict.Review, 3), afterOrdinal: 5, atMs: 5000);
        Assert.That(DetectionMetrics.Measure(signups, None).EscapedBeforeHalfCaught.Median, Is.EqualTo(6));
    }

    [Test]
    public void Campaigns_never_caught_count_with_all_they_got_in()
    {
        var signups = Enumerable.Range(1, 30).Select(i => Signup(i, fraud: true, 0, campaign: "one")).ToList();
        Assert.That(DetectionMetrics.Measure(signups, None).EscapedBeforeHalfCaught.Median, Is.EqualTo(30));
    }

    [Test]
    public void Purity_is_the_share_of_clustered_accounts_of_their_clusters_majority()
    {
        var signups = Enumerable.Range(1, 10).Select(i => Signup(i, fraud: i <= 8, 0, campaign: i <= 8 ? "one" : null)).ToList();
        foreach (var signup in signups) signup.Cluster = 1;
        var report = DetectionMetrics.Measure(signups, None);
        Assert.That((report.Purity, report.LabelPurity, report.Clusters), Is.EqualTo((0.8, 0.8, 1L)));
    }

    [Test]
    public void A_score_that_says_what_happens_has_no_calibration_error_and_one_that_does_not_has()
    {
        var signups = Enumerable.Range(1, 4000).Select(i => Signup(i, fraud: i % 4 == 0, 0)).ToList();
        Assert.That(DetectionMetrics.CalibrationError(signups, _ => 25), Is.EqualTo(0).Within(1e-9));
        Assert.That(DetectionMetrics.CalibrationError(signups, _ => 75), Is.EqualTo(0.5).Within(1e-9));
    }

    [Test]
    public void Early_members_are_timed_from_the_moment_their_network_shows_and_with_hindsight_from_its_tenth_signup()
    {
        // Twelve accounts of one network, a second apart, all let in at first; the last is flagged at once. The first is flagged after 400
        // seconds; it was joined to the others only at 300.
        var signups = Enumerable.Range(1, 11).Select(i => Signup(i, fraud: true, 0, campaign: "one")).ToList();
        signups.Add(Signup(12, fraud: true, 3, Verdict.Review, "one"));
        signups.AddRange(Enumerable.Range(13, 500).Select(i => Signup(i, fraud: false, -3)));
        foreach (var member in signups.Take(12)) member.Cluster = 1;
        signups[0].NetworkShownAtMs = 300_000;
        signups[0].Raise(Judgement(Verdict.Review, 3), 400, 400_000);
        var early = DetectionMetrics.Measure(signups, None).EarlyMembersFlagged;
        Assert.That(early.Members, Is.EqualTo(9));
        Assert.That(early.Share, Is.EqualTo(1 / 9d));
        Assert.That(early.WithinFiveMinutes, Is.EqualTo(1 / 9d));
        Assert.That(early.WithinFiveMinutesOfTenth, Is.Zero);
        Assert.That(early.MedianDelaySeconds, Is.EqualTo(100));
        Assert.That(DetectionMetrics.Measure(signups, new HashSet<string> { "attack" }).EarlyMembersFlagged.Members, Is.Zero, "nothing can link them");
    }

    [Test]
    public void Raising_never_lowers()
    {
        var signup = Signup(1, fraud: true, 2, Verdict.Review);
        signup.Raise(Judgement(Verdict.Allow, -3), 2, 2000);
        Assert.That((signup.Verdict, signup.LogOdds, signup.Escaped), Is.EqualTo((Verdict.Review, 2d, false)));
    }
}
