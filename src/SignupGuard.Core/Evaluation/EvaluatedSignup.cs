using SignupGuard.Core.Decisions;

namespace SignupGuard.Core.Evaluation;

/// <summary>One signup of a labelled stream with what was decided: at first, and in the end after second looks.</summary>
public sealed class EvaluatedSignup
{
    /// <summary>Place in the stream, from 1.</summary>
    public required long Ordinal { get; init; }

    public required long AtMs { get; init; }

    public required bool Fraud { get; init; }

    /// <summary>Attack family or benign population.</summary>
    public required string Group { get; init; }

    /// <summary>The one operation an account belongs to; null for benign ones, and where labels have none.</summary>
    public string? Campaign { get; init; }

    public required Verdict FirstVerdict { get; init; }

    public required double FirstLogOdds { get; init; }

    /// <summary>Percent.</summary>
    public required double FirstScore { get; init; }

    public Verdict Verdict { get; private set; }

    public double LogOdds { get; private set; }

    public double Score { get; private set; }

    /// <summary>The signup after which the verdict was first raised from allow; 0 when it never was.</summary>
    public long RaisedAfter { get; private set; }

    /// <summary>Stream time of that signup.</summary>
    public long RaisedAtMs { get; private set; }

    /// <summary>Stream time at which it was in a network of ten or more of which someone was flagged; 0 when it never was, or nobody watched.</summary>
    public long NetworkShownAtMs { get; set; }

    /// <summary>Network it ended in; 0 for none.</summary>
    public long Cluster { get; set; }

    /// <summary>Whether it was let in at first.</summary>
    public bool Escaped => FirstVerdict == Verdict.Allow;

    public bool Flagged => Verdict != Verdict.Allow;

    public void Begin() => (Verdict, LogOdds, Score) = (FirstVerdict, FirstLogOdds, FirstScore);

    /// <summary>A second look saw more.</summary>
    public void Raise(Judgement again, long afterOrdinal, long atMs)
    {
        if (again.LogOdds > LogOdds) (LogOdds, Score) = (again.LogOdds, again.Score);
        if (again.Verdict <= Verdict) return;
        if (Verdict == Verdict.Allow) (RaisedAfter, RaisedAtMs) = (afterOrdinal, atMs);
        Verdict = again.Verdict;
    }
}
