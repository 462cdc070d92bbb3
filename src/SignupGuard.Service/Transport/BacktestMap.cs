using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Backtests;
using SignupGuard.Service.Backtests;

namespace SignupGuard.Service.Transport;

/// <summary>The one map from backtests to the contract's.</summary>
internal static class BacktestMap
{
    public static V1.BacktestProgress ToContract(BacktestProgress progress) => new()
    {
        Signups = progress.Signups,
        SignupsTotal = progress.Total,
        PerSecond = progress.PerSecond,
        Reached = Timestamp.FromDateTimeOffset(progress.Reached),
    };

    /// <param name="contentHash">Of the candidate's document.</param>
    public static V1.BacktestReport ToContract(BacktestReport report, byte[] contentHash, BacktestWindow window)
    {
        var mapped = new V1.BacktestReport
        {
            Version = report.CandidateVersion,
            ContentHash = Convert.ToHexStringLower(contentHash),
            BaseVersion = report.BaselineVersion,
            From = Time(window.From),
            Until = Time(window.Until),
            Signups = report.Signups,
            Unreadable = report.Unreadable,
            WarmUpSignups = report.WarmUp.Signups,
            Complete = report.WarmUp.Complete,
            BaseFirstAsStored = Map(report.FirstAsStored),
            BaseMeasures = Map(report.BaselineMeasures),
            VersionMeasures = Map(report.CandidateMeasures),
            Clusters = new V1.ClusterChanges
            {
                BaseClusters = report.Clusters.Baseline,
                VersionClusters = report.Clusters.Candidate,
                Merged = report.Clusters.Merged,
                Split = report.Clusters.Split,
                BaseAccounts = report.Clusters.BaselineAccounts,
                VersionAccounts = report.Clusters.CandidateAccounts,
            },
        };
        mapped.Moves.Add(report.Moves.Select(Map));
        mapped.Populations.Add(report.Populations.Select(Map));
        mapped.Rules.Add(report.Rules.Select(Map));
        mapped.Overlaps.Add(report.Overlaps.Select(Map));
        mapped.Days.Add(report.Days.Select(Map));
        return mapped;
    }

    private static Timestamp? Time(DateTimeOffset? time) => time is { } at ? Timestamp.FromDateTimeOffset(at) : null;

    private static V1.VerdictMove Map(VerdictMove move)
    {
        var mapped = new V1.VerdictMove
        {
            From = DecisionMap.ToContract(move.From),
            To = DecisionMap.ToContract(move.To),
            Signups = move.Signups,
            LabelledBad = move.Bad,
            LabelledGood = move.Good,
        };
        mapped.Samples.Add(move.Samples.Select(sample =>
        {
            var one = new V1.MoveSample
            {
                SignupId = sample.SignupId ?? "",
                FromScore = sample.FromScore,
                ToScore = sample.ToScore,
            };
            one.ReasonCodes.Add(sample.ReasonCodes);
            return one;
        }));
        return mapped;
    }

    private static V1.LabelMeasures? Map(LabelMeasures? measures) => measures is null ? null : new V1.LabelMeasures
    {
        FlaggedPrecision = Map(measures.FlaggedPrecision),
        FlaggedRecall = Map(measures.FlaggedRecall),
        FlaggedFalsePositiveRate = Map(measures.FlaggedFalsePositiveRate),
        DeniedPrecision = Map(measures.DeniedPrecision),
        DeniedRecall = Map(measures.DeniedRecall),
        DeniedFalsePositiveRate = Map(measures.DeniedFalsePositiveRate),
    };

    private static V1.Share? Map(Share? share) => share is null ? null : new V1.Share
    {
        Value = share.Value,
        Low = share.Low,
        High = share.High,
        Of = share.Of,
    };

    private static V1.PopulationFlips Map(PopulationFlips part) => new()
    {
        Dimension = part.Dimension,
        Value = part.Value,
        Signups = part.Signups,
        MoreSevere = part.MoreSevere,
        LessSevere = part.LessSevere,
        BaseFlagged = part.BaselineFlagged,
        VersionFlagged = part.CandidateFlagged,
    };

    private static V1.RuleEffect Map(RuleEffect rule)
    {
        var mapped = new V1.RuleEffect
        {
            RuleId = rule.RuleId,
            Hits = rule.Hits,
            LabelledBad = rule.Bad,
            LabelledGood = rule.Good,
            Undecided = rule.Undecided,
        };
        if (rule.Marginal is { } marginal) mapped.Marginal = marginal;
        return mapped;
    }

    private static V1.RuleOverlap Map(RuleOverlap overlap) => new()
    {
        RuleId = overlap.RuleId,
        OtherRuleId = overlap.OtherRuleId,
        Both = overlap.Both,
        Jaccard = overlap.Jaccard,
    };

    private static V1.DayLoad Map(DayLoad day) => new()
    {
        Day = Timestamp.FromDateTime(day.Day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)),
        Signups = day.Signups,
        BaseReviews = day.BaselineReviews,
        VersionReviews = day.CandidateReviews,
        BaseDenials = day.BaselineDenials,
        VersionDenials = day.CandidateDenials,
    };
}
