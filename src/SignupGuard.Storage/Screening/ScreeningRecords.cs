using SignupGuard.Core.Decisions;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;

namespace SignupGuard.Storage.Screening;

/// <summary>A signup ready for the batch: canonical, with signals and keys.</summary>
public sealed record PreparedSignup
{
    public required string Tenant { get; init; }

    /// <summary>The signup, its signals and its link keys.</summary>
    public required LinkableSignup Linkable { get; init; }

    /// <summary>SHA-256 of the canonical request: tells a repeat from a reused id.</summary>
    public required byte[] ContentHash { get; init; }

    /// <summary>The request and its signals, encrypted: what the second look, replay and backtests read.</summary>
    public required byte[] Facts { get; init; }

    public string SignupId => Linkable.Signup.SignupId;
}

/// <summary>A stored decision. <see cref="Revision"/> 1 is the answer to the signup; higher ones changed it.</summary>
public sealed record StoredDecision
{
    public required Guid DecisionId { get; init; }

    public required string SignupId { get; init; }

    public required long Ordinal { get; init; }

    /// <summary>When the signup was recorded: names the partition all its rows live in.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    public required int Revision { get; init; }

    public required long PolicyVersion { get; init; }

    public required DateTimeOffset DecidedAt { get; init; }

    public required string OutwardCode { get; init; }

    /// <summary>screened, network, review, outcome, recovered.</summary>
    public required string Cause { get; init; }

    public required DecisionBody Body { get; init; }

    /// <summary>The links and the network it was made from (<see cref="DecisionFacts"/>); null for decisions by people.</summary>
    public required byte[]? Facts { get; init; }
}

/// <summary>What was decided and from what: stored as JSON, holds no personal data.</summary>
public sealed record DecisionBody
{
    public required Verdict Verdict { get; init; }

    public required double Score { get; init; }

    public required IReadOnlyList<StoredReason> Reasons { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public required IReadOnlyList<string> Obligations { get; init; }

    public required IReadOnlyList<string> Undecided { get; init; }

    public required IReadOnlyList<StoredSignalGroup> Completeness { get; init; }
}

public sealed record StoredReason(string Code, string Text, double Contribution, StoredStep? Evidence);

/// <param name="Expected">What chance would have put on the key; null for hard keys.</param>
/// <param name="SignupIds">Earlier signups on the key, as examples.</param>
public sealed record StoredStep(string Kind, string KeyRef, long Accounts, double? Expected, double Strength, double ConfirmedBad, IReadOnlyList<string> SignupIds);

public sealed record StoredSignalGroup(string Group, SignalState State, string? Detail);

/// <summary>What screening one signup of a batch gave.</summary>
public abstract record ScreeningResult
{
    private ScreeningResult()
    {
    }

    /// <param name="Replayed">The signup had been decided before; this is the decision in force.</param>
    public sealed record Decided(StoredDecision Decision, bool Replayed) : ScreeningResult;

    /// <summary>The id is taken by a signup of other content.</summary>
    public sealed record IdReused : ScreeningResult;
}
