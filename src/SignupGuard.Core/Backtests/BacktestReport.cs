using SignupGuard.Core.Decisions;

namespace SignupGuard.Core.Backtests;

/// <summary>
/// What one policy, the candidate, would have decided on past signups, beside what another, the baseline, would have: both by the same code from an
/// empty memory, each signup as of its own time, second looks included. Verdicts are those in force at the end unless a name says first.
/// </summary>
public sealed record BacktestReport
{
    /// <summary>Of exactly the baseline's content.</summary>
    public required long BaselineVersion { get; init; }

    public required long CandidateVersion { get; init; }

    /// <summary>Signups reported on. Those before, which only warmed the memory, are in <see cref="WarmUp"/>.</summary>
    public required long Signups { get; init; }

    /// <summary>Signups of the time left out, since what was stored of them can't be read any more.</summary>
    public required long Unreadable { get; init; }

    public required BacktestWarmUp WarmUp { get; init; }

    /// <summary>
    /// Signups whose first verdict by the baseline is the one stored: all of them where the baseline decided all of them and everything before them was
    /// replayed too; fewer where versions changed, or rules were set aside by people.
    /// </summary>
    public required Share? FirstAsStored { get; init; }

    /// <summary>The same of the verdict in force. What outcomes and reviewers decided is no policy's doing, and counts against it.</summary>
    public required Share? InForceAsStored { get; init; }

    /// <summary>All nine, from each verdict of the baseline to each of the candidate, baseline's first; also where both agree.</summary>
    public required IReadOnlyList<VerdictMove> Moves { get; init; }

    /// <summary>Null while no signup of the time is labelled bad or good.</summary>
    public required LabelMeasures? BaselineMeasures { get; init; }

    public required LabelMeasures? CandidateMeasures { get; init; }

    /// <summary>By dimension, then the largest first.</summary>
    public required IReadOnlyList<PopulationFlips> Populations { get; init; }

    public required ClusterComparison Clusters { get; init; }

    /// <summary>Decision rules in the policy's order, then shared keys and lists that spoke.</summary>
    public required IReadOnlyList<RuleEffect> Rules { get; init; }

    /// <summary>Pairs that held together at least once, the most alike first; at most <see cref="Backtest.OverlapsMax"/>.</summary>
    public required IReadOnlyList<RuleOverlap> Overlaps { get; init; }

    /// <summary>In order; days without a signup are left out.</summary>
    public required IReadOnlyList<DayLoad> Days { get; init; }
}

/// <summary>What was replayed before the time reported on, so that links and velocities are as they were.</summary>
/// <param name="Signups">So many.</param>
/// <param name="FromMs">Time of the first signup replayed, Unix milliseconds; null when there was none.</param>
/// <param name="Complete">
/// Nothing lies before it: every figure is exact. Otherwise keys with a long memory (a card, an e-mail address) may know less than they did.
/// </param>
public sealed record BacktestWarmUp(long Signups, long? FromMs, bool Complete);

/// <summary>Signups that the baseline decides one way and the candidate another, or the same.</summary>
/// <param name="Bad">Of them, accounts labelled bad.</param>
/// <param name="Samples">Spread over the time; at most <see cref="Backtest.SamplesMax"/>. None where both agree.</param>
public sealed record VerdictMove(Verdict From, Verdict To, long Signups, long Bad, long Good, IReadOnlyList<MoveSample> Samples);

/// <summary>One signup that moved.</summary>
/// <param name="Ordinal">Place in the replayed stream, from 1.</param>
/// <param name="FromScore">Percent.</param>
/// <param name="ReasonCodes">Of the candidate's verdict, strongest first.</param>
public sealed record MoveSample(long Ordinal, double FromScore, double ToScore, IReadOnlyList<string> ReasonCodes)
{
    /// <summary>Put in by those who know the stream.</summary>
    public string? SignupId { get; init; }
}

/// <summary>How verdicts fare against labels. Flagged is review or deny. A share of nothing is null.</summary>
/// <param name="Bad">Signups labelled bad.</param>
/// <param name="FlaggedPrecision">Of the flagged with a label, those that are bad.</param>
/// <param name="FlaggedRecall">Of the bad, those flagged.</param>
/// <param name="FlaggedFalsePositiveRate">Of the good, those flagged.</param>
public sealed record LabelMeasures(
    long Bad,
    long Good,
    Share? FlaggedPrecision,
    Share? FlaggedRecall,
    Share? FlaggedFalsePositiveRate,
    Share? DeniedPrecision,
    Share? DeniedRecall,
    Share? DeniedFalsePositiveRate);

/// <summary>Verdict moves within one population.</summary>
/// <param name="Dimension">What divides: account_type, channel, country, email, network_class.</param>
/// <param name="Value">The part ("DE", "web"); empty where the signups say nothing.</param>
public sealed record PopulationFlips(string Dimension, string Value, long Signups, long MoreSevere, long LessSevere, long BaselineFlagged, long CandidateFlagged);

/// <summary>Networks at the end of the time, warm-up included.</summary>
/// <param name="Merged">Networks of the candidate that join accounts of two or more of the baseline's.</param>
/// <param name="Split">Networks of the baseline whose accounts are in two or more of the candidate's, or in none.</param>
public sealed record ClusterComparison(long Baseline, long Candidate, long BaselineAccounts, long CandidateAccounts, long Merged, long Split);

/// <summary>One rule of the candidate, over the decisions in force.</summary>
/// <param name="RuleId">A decision rule's id; "link.KIND" for a shared key, "list" for the lists.</param>
/// <param name="Hits">Signups on which it held.</param>
/// <param name="Undecided">Signups for which it could not be decided, a fact being missing.</param>
/// <param name="Marginal">
/// Hits whose verdict would be another without this rule, everything else unchanged: what other signups would then have been decided is not followed up.
/// Null for shared keys and lists.
/// </param>
public sealed record RuleEffect(string RuleId, long Hits, long Bad, long Good, long Undecided, long? Marginal);

/// <summary>Two rules that hold together.</summary>
/// <param name="Jaccard">Of the signups on which either holds, those on which both do.</param>
public sealed record RuleOverlap(string RuleId, string OtherRuleId, long Both, double Jaccard);

/// <summary>What comes in one day, by the signups' own time.</summary>
/// <param name="Day">UTC.</param>
public sealed record DayLoad(DateOnly Day, long Signups, long BaselineReviews, long CandidateReviews, long BaselineDenials, long CandidateDenials);
