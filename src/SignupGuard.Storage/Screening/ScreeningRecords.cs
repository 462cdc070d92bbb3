using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Storage.Screening;

/// <summary>A signup ready for the batch: canonical, with signals and keys.</summary>
public sealed record PreparedSignup
{
    public required string Tenant { get; init; }

    public required Signup Signup { get; init; }

    public required SignupSignals Signals { get; init; }

    public required IReadOnlyList<DerivedKey> Keys { get; init; }

    /// <summary>Hash of the account, for distinct counts.</summary>
    public required long Account { get; init; }

    /// <summary>SHA-256 of the canonical request: tells a repeat from a reused id.</summary>
    public required byte[] ContentHash { get; init; }

    /// <summary>The request and its signals, encrypted: what replay and backtests read.</summary>
    public required byte[] Facts { get; init; }
}

/// <summary>A stored decision. <see cref="Revision"/> 1 is the answer to the signup; higher ones changed it.</summary>
public sealed record StoredDecision
{
    public required Guid DecisionId { get; init; }

    public required string SignupId { get; init; }

    public required long Ordinal { get; init; }

    public required int Revision { get; init; }

    public required long PolicyVersion { get; init; }

    public required DateTimeOffset DecidedAt { get; init; }

    public required string OutwardCode { get; init; }

    /// <summary>screened, network, review, outcome, recovered.</summary>
    public required string Cause { get; init; }

    public required DecisionBody Body { get; init; }
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

    public required IReadOnlyList<StoredLink> Links { get; init; }
}

public sealed record StoredReason(string Code, string Text, double Contribution, IReadOnlyList<StoredStep> Path);

/// <param name="SignupIds">Earlier signups on the key, as examples.</param>
public sealed record StoredStep(string Kind, string KeyRef, long Accounts, double Strength, double ConfirmedBad, IReadOnlyList<string> SignupIds);

public sealed record StoredSignalGroup(string Group, SignalState State, string? Detail);

/// <summary>The key state a decision was made from: what replay links against.</summary>
public sealed record StoredLink(string Kind, long Accounts, double TenMinutes, double Hour, double Day, double Earlier, double Evidence, double ConfirmedBad);

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
