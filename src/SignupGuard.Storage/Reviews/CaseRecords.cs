using SignupGuard.Core.Decisions;

namespace SignupGuard.Storage.Reviews;

/// <summary>Where a case stands; the numbers are stored.</summary>
public enum CaseState : short
{
    Open = 1,
    Escalated = 2,
    Resolved = 3,
    Denied = 4,
}

/// <summary>What a person decided; the numbers are stored.</summary>
public enum CaseResolution : short
{
    Allow = 1,
    Deny = 2,
}

/// <summary>A flagged account's case, or a network's, as stored.</summary>
public sealed record StoredCase
{
    public required Guid Id { get; init; }

    public required CaseState State { get; init; }

    /// <summary>What the etag says: rises with every change of the case.</summary>
    public required long Revision { get; init; }

    /// <summary>Of the member with the highest score, as <see cref="SignupId"/>.</summary>
    public required long Ordinal { get; init; }

    public required string SignupId { get; init; }

    /// <summary>Null for the case of one account.</summary>
    public required long? Cluster { get; init; }

    /// <summary>Flagged accounts in it.</summary>
    public required long Signups { get; init; }

    /// <summary>The most severe in force among its accounts.</summary>
    public required Verdict Verdict { get; init; }

    public required double Score { get; init; }

    /// <summary>0 to 100.</summary>
    public required int Priority { get; init; }

    /// <summary>An applicant's objection is open.</summary>
    public required bool Appealed { get; init; }

    public required IReadOnlyList<string> ReasonCodes { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public required string? Country { get; init; }

    public required string? NetworkClass { get; init; }

    public required string? Channel { get; init; }

    public required string? Product { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The last who held it; whether they still do, <see cref="HolderAt"/> tells.</summary>
    public required string? ClaimedBy { get; init; }

    public required DateTimeOffset? ClaimedUntil { get; init; }

    /// <summary>Null unless people decided all of its accounts alike.</summary>
    public required CaseResolution? Resolution { get; init; }

    public required string? ResolvedBy { get; init; }

    public required DateTimeOffset? ResolvedAt { get; init; }

    public required string? ResolutionReason { get; init; }

    /// <summary>Whoever holds it; null when nobody does, or when the lease has run out.</summary>
    public string? HolderAt(DateTimeOffset now) => ClaimedUntil > now ? ClaimedBy : null;
}

/// <summary>A note of a case. Notes are never changed.</summary>
public sealed record StoredNote(Guid Id, string Author, DateTimeOffset At, string Text);

/// <summary>What happened to a case.</summary>
/// <param name="Actor">Null for the service.</param>
public sealed record StoredCaseEvent(DateTimeOffset At, string? Actor, string Kind, string? Detail);

/// <summary>Why a case was left as it is.</summary>
public abstract record CaseRefusal
{
    private CaseRefusal()
    {
    }

    public sealed record Unknown : CaseRefusal;

    /// <summary>It is another than the one that was read.</summary>
    public sealed record Changed : CaseRefusal;

    /// <summary>Another reviewer holds it.</summary>
    public sealed record Claimed(string By, DateTimeOffset Until) : CaseRefusal;

    /// <summary>The caller does not hold it.</summary>
    public sealed record NotClaimed : CaseRefusal;

    /// <summary>Not in this state.</summary>
    public sealed record State(CaseState Is) : CaseRefusal;

    /// <summary>It is a network's, which is decided as a network.</summary>
    public sealed record Network(long Cluster) : CaseRefusal;

    /// <summary>As many objections are open as may be.</summary>
    public sealed record AppealsTaken(int Max) : CaseRefusal;
}

/// <summary>The case after a change, or why there was none.</summary>
public readonly record struct CaseChange(StoredCase? Case, CaseRefusal? Refusal)
{
    public static CaseChange Refused(CaseRefusal refusal) => new(null, refusal);

    public static CaseChange Done(StoredCase stored) => new(stored, null);
}
