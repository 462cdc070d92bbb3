using SignupGuard.Core.Decisions;

namespace SignupGuard.Core.Evaluation;

/// <summary>What a group of signups got. Shares are 0 to 1.</summary>
public sealed record GroupResult
{
    public required long Signups { get; init; }

    /// <summary>By the first answer.</summary>
    public required double FirstReview { get; init; }

    public required double FirstDeny { get; init; }

    /// <summary>By the decision in force at the end.</summary>
    public required double Review { get; init; }

    public required double Deny { get; init; }

    /// <summary>Share above the threshold of a false-positive rate ("0.001"), by the decision in force.</summary>
    public required IReadOnlyDictionary<string, double> AboveThreshold { get; init; }
}

/// <summary>Accounts let in before an operation was caught.</summary>
public sealed record EscapeResult(long Campaigns, double Median, double P90);

/// <summary>Members of linkable families let in at first whose network showed later.</summary>
/// <param name="Share">Share of them flagged by now.</param>
/// <param name="WithinFiveMinutes">
/// Share flagged within five minutes of the moment their network showed: they were joined to ten accounts or more, one of them flagged.
/// In the stream's own time. Where nobody watched the networks grow, the same as <paramref name="WithinFiveMinutesOfTenth"/>.
/// </param>
/// <param name="WithinFiveMinutesOfTenth">
/// The same from the tenth signup, and the first flag, of what turned out to be their network in the end: with hindsight, before anything may
/// have joined them.
/// </param>
/// <param name="MedianDelaySeconds">From the moment their network showed, in the stream's own time.</param>
public sealed record EarlyMembersResult(long Members, double Share, double WithinFiveMinutes, double WithinFiveMinutesOfTenth, double MedianDelaySeconds);

/// <summary>How well a stream of labelled signups was told apart.</summary>
public sealed record DetectionReport
{
    /// <summary>False-positive rates at which recall is reported.</summary>
    public static readonly IReadOnlyList<double> Rates = [0.001, 0.01];

    public required long Signups { get; init; }

    public required long Fraud { get; init; }

    /// <summary>
    /// Recall by the decision in force (second looks included) at thresholds fixed on the earlier slice's benign signups, measured on the later.
    /// </summary>
    public required IReadOnlyDictionary<string, double> RecallAtFpr { get; init; }

    /// <summary>The same without families that are unlinkable by construction.</summary>
    public required IReadOnlyDictionary<string, double> RecallAtFprLinkable { get; init; }

    /// <summary>By first answers alone.</summary>
    public required IReadOnlyDictionary<string, double> FirstRecallAtFpr { get; init; }

    public required IReadOnlyDictionary<string, double> FirstRecallAtFprLinkable { get; init; }

    /// <summary>False-positive rate the fixed thresholds really gave on the later slice.</summary>
    public required IReadOnlyDictionary<string, double> FprAttained { get; init; }

    public required IReadOnlyDictionary<string, GroupResult> Families { get; init; }

    public required IReadOnlyDictionary<string, GroupResult> Populations { get; init; }

    /// <summary>Over campaigns of linkable families.</summary>
    public required EscapeResult EscapedBeforeHalfCaught { get; init; }

    public required IReadOnlyDictionary<string, EscapeResult> EscapedByFamily { get; init; }

    public required EarlyMembersResult EarlyMembersFlagged { get; init; }

    /// <summary>Share of clustered accounts that are of their cluster's majority (one campaign, or benign).</summary>
    public required double Purity { get; init; }

    /// <summary>Share of clustered accounts whose cluster's majority agrees with them on fraud or benign.</summary>
    public required double LabelPurity { get; init; }

    public required long Clusters { get; init; }

    /// <summary>Expected calibration error of first answers' scores on the later slice, 20 bins of equal size.</summary>
    public required double CalibrationError { get; init; }

    /// <summary>Share of benign signups denied, by the decision in force.</summary>
    public required double DenyFpr { get; init; }

    /// <summary>Share of benign signups reviewed.</summary>
    public required double ReviewFpr { get; init; }

    /// <summary>Share of fraud reviewed or denied by the shipped thresholds.</summary>
    public required double FlaggedFraud { get; init; }

    public required double DeniedFraud { get; init; }

    /// <summary>Precision and recall over all thresholds, strongest first: at most 100 points.</summary>
    public required IReadOnlyList<PrecisionRecall> PrecisionRecallCurve { get; init; }

    /// <summary>Mean score against the share of fraud, by bin.</summary>
    public required IReadOnlyList<CalibrationBin> CalibrationCurve { get; init; }
}

public sealed record PrecisionRecall(double Threshold, double Precision, double Recall);

public sealed record CalibrationBin(double MeanScore, double FraudShare, long Signups);

/// <summary>Measures of detection. Pure.</summary>
public static class DetectionMetrics
{
    /// <summary>Share of the stream whose benign signups fix the thresholds; the rest measures.</summary>
    public const double EarlierShare = 0.4;

    /// <summary>A network is large from this size on, as for the safeguard of the default policy.</summary>
    public const int LargeCluster = 10;

    private const int Bins = 20;
    private const long FiveMinutesMs = 5 * 60_000;

    /// <param name="signups">In stream order.</param>
    /// <param name="unlinkable">Families that no linkage can find, by construction.</param>
    public static DetectionReport Measure(IReadOnlyList<EvaluatedSignup> signups, IReadOnlySet<string> unlinkable)
    {
        var split = (int)(signups.Count * EarlierShare);
        var (earlier, later) = (signups.Take(split).ToList(), signups.Skip(split).ToList());
        var thresholds = DetectionReport.Rates.ToDictionary(Name, rate => Threshold(earlier, rate, signup => signup.LogOdds));
        var firstThresholds = DetectionReport.Rates.ToDictionary(Name, rate => Threshold(earlier, rate, signup => signup.FirstLogOdds));
        var laterFraud = later.Where(signup => signup.Fraud).ToList();
        var laterLinkable = laterFraud.Where(signup => !unlinkable.Contains(signup.Group)).ToList();
        var laterBenign = later.Where(signup => !signup.Fraud).ToList();
        var benign = signups.Where(signup => !signup.Fraud).ToList();
        var fraud = signups.Where(signup => signup.Fraud).ToList();
        var escapes = Escapes(fraud);
        var (purity, labelPurity, clusters) = Purity(signups);
        var (bins, error) = Calibration(later, signup => signup.FirstScore);

        Dictionary<string, double> Above(List<EvaluatedSignup> of, Dictionary<string, double> at, Func<EvaluatedSignup, double> score) =>
            at.ToDictionary(pair => pair.Key, pair => Share(of, signup => score(signup) > pair.Value));

        IReadOnlyDictionary<string, GroupResult> Groups(IEnumerable<EvaluatedSignup> of) =>
            new SortedDictionary<string, GroupResult>(
                of.GroupBy(signup => signup.Group).ToDictionary(
                    group => group.Key,
                    group =>
                    {
                        var members = group.ToList();
                        return new GroupResult
                        {
                            Signups = members.Count,
                            FirstReview = Share(members, signup => signup.FirstVerdict == Verdict.Review),
                            FirstDeny = Share(members, signup => signup.FirstVerdict == Verdict.Deny),
                            Review = Share(members, signup => signup.Verdict == Verdict.Review),
                            Deny = Share(members, signup => signup.Verdict == Verdict.Deny),
                            AboveThreshold = Above(members, thresholds, signup => signup.LogOdds),
                        };
                    }),
                StringComparer.Ordinal);

        return new DetectionReport
        {
            Signups = signups.Count,
            Fraud = fraud.Count,
            RecallAtFpr = Above(laterFraud, thresholds, signup => signup.LogOdds),
            RecallAtFprLinkable = Above(laterLinkable, thresholds, signup => signup.LogOdds),
            FirstRecallAtFpr = Above(laterFraud, firstThresholds, signup => signup.FirstLogOdds),
            FirstRecallAtFprLinkable = Above(laterLinkable, firstThresholds, signup => signup.FirstLogOdds),
            FprAttained = Above(laterBenign, thresholds, signup => signup.LogOdds),
            Families = Groups(fraud),
            Populations = Groups(benign),
            EscapedBeforeHalfCaught = Summary(escapes.Where(item => !unlinkable.Contains(item.Family)).Select(item => item.Escaped)),
            EscapedByFamily = new SortedDictionary<string, EscapeResult>(
                escapes.GroupBy(item => item.Family).ToDictionary(group => group.Key, group => Summary(group.Select(item => item.Escaped))),
                StringComparer.Ordinal),
            EarlyMembersFlagged = EarlyMembers(signups, unlinkable),
            Purity = purity,
            LabelPurity = labelPurity,
            Clusters = clusters,
            CalibrationError = error,
            DenyFpr = Share(benign, signup => signup.Verdict == Verdict.Deny),
            ReviewFpr = Share(benign, signup => signup.Verdict == Verdict.Review),
            FlaggedFraud = Share(fraud, signup => signup.Flagged),
            DeniedFraud = Share(fraud, signup => signup.Verdict == Verdict.Deny),
            PrecisionRecallCurve = Curve(later),
            CalibrationCurve = bins,
        };
    }

    private static string Name(double rate) => rate.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The score that at most a share of benign signups exceeds.</summary>
    public static double Threshold(IEnumerable<EvaluatedSignup> signups, double rate, Func<EvaluatedSignup, double> score)
    {
        var benign = signups.Where(signup => !signup.Fraud).Select(score).OrderDescending().ToList();
        return benign.Count == 0 ? double.PositiveInfinity : benign[Math.Min(benign.Count - 1, (int)Math.Floor(rate * benign.Count))];
    }

    private static double Share<T>(List<T> of, Func<T, bool> holds) => of.Count == 0 ? 0 : (double)of.Count(holds) / of.Count;

    /// <summary>
    /// Of each campaign: accounts let in by their first answer until, for the first time, half of the campaign's accounts so far are flagged
    /// (second looks by then included). A campaign never half caught counts with all that it got in.
    /// </summary>
    private static List<(string Family, long Escaped)> Escapes(List<EvaluatedSignup> fraud)
    {
        var escapes = new List<(string, long)>();
        foreach (var campaign in fraud.Where(signup => signup.Campaign is not null).GroupBy(signup => signup.Campaign))
        {
            var members = campaign.ToList();
            var raised = new PriorityQueue<long, long>();
            var (seen, flagged, escaped) = (0L, 0L, 0L);
            var caught = false;
            foreach (var member in members)
            {
                while (raised.TryPeek(out var after, out _) && after < member.Ordinal)
                {
                    raised.Dequeue();
                    flagged++;
                }
                seen++;
                if (member.Escaped)
                {
                    escaped++;
                    if (member.RaisedAfter > 0) raised.Enqueue(member.RaisedAfter, member.RaisedAfter);
                }
                else
                {
                    flagged++;
                }
                if (seen > 1 && flagged * 2 >= seen)
                {
                    caught = true;
                    break;
                }
            }
            escapes.Add((members[0].Group, caught ? escaped : members.Count(member => member.Escaped)));
        }
        return escapes;
    }

    private static EscapeResult Summary(IEnumerable<long> counts)
    {
        var sorted = counts.Order().ToList();
        return new EscapeResult(sorted.Count, Quantile(sorted, 0.5), Quantile(sorted, 0.9));
    }

    private static double Quantile(List<long> sorted, double at) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(at * sorted.Count) - 1)];

    /// <summary>Linkable fraud let in at first that ended in a large cluster of mostly fraud.</summary>
    private static EarlyMembersResult EarlyMembers(IReadOnlyList<EvaluatedSignup> signups, IReadOnlySet<string> unlinkable)
    {
        var (members, flagged, soon, soonOfTenth) = (0L, 0L, 0L, 0L);
        var delays = new List<long>();
        foreach (var cluster in signups.Where(signup => signup.Cluster != 0).GroupBy(signup => signup.Cluster))
        {
            var all = cluster.OrderBy(signup => signup.Ordinal).ToList();
            if (all.Count < LargeCluster || all.Count(signup => signup.Fraud) * 2 < all.Count) continue;
            var tenthAtMs = Math.Max(all[LargeCluster - 1].AtMs, all.Where(signup => signup.Flagged).Select(signup => signup.Escaped ? signup.RaisedAtMs : signup.AtMs).DefaultIfEmpty(long.MaxValue).Min());
            foreach (var early in all.Take(LargeCluster - 1).Where(signup => signup is { Fraud: true, Escaped: true } && !unlinkable.Contains(signup.Group)))
            {
                members++;
                if (!early.Flagged) continue;
                flagged++;
                // Flagged before anything showed: at once.
                var delay = Math.Max(0, early.RaisedAtMs - (early.NetworkShownAtMs == 0 ? tenthAtMs : early.NetworkShownAtMs));
                delays.Add(delay);
                if (delay <= FiveMinutesMs) soon++;
                if (early.RaisedAtMs - tenthAtMs <= FiveMinutesMs) soonOfTenth++;
            }
        }
        delays.Sort();
        return members == 0
            ? new EarlyMembersResult(0, 0, 0, 0, 0)
            : new EarlyMembersResult(members, (double)flagged / members, (double)soon / members, (double)soonOfTenth / members, Quantile(delays, 0.5) / 1000);
    }

    private static (double Purity, double LabelPurity, long Clusters) Purity(IReadOnlyList<EvaluatedSignup> signups)
    {
        var (all, majority, agreeing, clusters) = (0L, 0L, 0L, 0L);
        foreach (var cluster in signups.Where(signup => signup.Cluster != 0).GroupBy(signup => signup.Cluster))
        {
            var members = cluster.ToList();
            var fraud = members.Count(signup => signup.Fraud);
            clusters++;
            all += members.Count;
            majority += members.GroupBy(signup => signup.Fraud ? signup.Campaign ?? signup.Group : "").Max(group => group.Count());
            agreeing += Math.Max(fraud, members.Count - fraud);
        }
        return all == 0 ? (1, 1, 0) : ((double)majority / all, (double)agreeing / all, clusters);
    }

    private static (List<CalibrationBin> Bins, double Error) Calibration(IReadOnlyList<EvaluatedSignup> signups, Func<EvaluatedSignup, double> percent)
    {
        var bins = new List<CalibrationBin>();
        if (signups.Count == 0) return (bins, 0);
        var error = 0d;
        foreach (var bin in signups.OrderBy(percent).Chunk(Math.Max(1, (signups.Count + Bins - 1) / Bins)))
        {
            var (score, share) = (bin.Average(percent) / 100, (double)bin.Count(signup => signup.Fraud) / bin.Length);
            bins.Add(new CalibrationBin(score, share, bin.Length));
            error += Math.Abs(score - share) * bin.Length / signups.Count;
        }
        return (bins, error);
    }

    /// <summary>Expected calibration error of a score (percent) over signups: the mean distance of bins' scores from their share of fraud.</summary>
    public static double CalibrationError(IReadOnlyList<EvaluatedSignup> signups, Func<EvaluatedSignup, double> score) => Calibration(signups, score).Error;

    private static List<PrecisionRecall> Curve(List<EvaluatedSignup> signups)
    {
        const int points = 100;
        var sorted = signups.OrderByDescending(signup => signup.LogOdds).ToList();
        var total = sorted.Count(signup => signup.Fraud);
        var curve = new List<PrecisionRecall>();
        if (total == 0) return curve;
        var found = 0;
        for (var i = 0; i < sorted.Count; i++)
        {
            if (sorted[i].Fraud) found++;
            if ((i + 1) % Math.Max(1, sorted.Count / points) == 0 || i == sorted.Count - 1)
                curve.Add(new PrecisionRecall(sorted[i].LogOdds, (double)found / (i + 1), (double)found / total));
        }
        return curve;
    }
}
