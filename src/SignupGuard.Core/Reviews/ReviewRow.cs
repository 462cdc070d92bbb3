using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Reviews;

/// <summary>What a filter can read of one signup. What is not known of it is null, and a condition on it undecided.</summary>
public sealed record ReviewRow
{
    public required string SignupId { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>In force.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Percent.</summary>
    public required double Score { get; init; }

    public required IReadOnlyList<string> ReasonCodes { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public long? PolicyVersion { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>The network it is in now, which may be another than the one its decision was made from.</summary>
    public long? ClusterId { get; init; }

    /// <summary>"bad" or "good".</summary>
    public string? Label { get; init; }

    /// <summary>Null when it was never flagged.</summary>
    public ReviewCase? Case { get; init; }

    /// <summary>What rules could read when it was decided; null when that can't be opened any more.</summary>
    public Facts? Facts { get; init; }
}

/// <summary>What a filter can read of a case.</summary>
public sealed record ReviewCase
{
    /// <summary>"open", "escalated", "resolved" or "denied".</summary>
    public required string State { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>0 to 100.</summary>
    public required long Priority { get; init; }

    /// <summary>Flagged accounts in it.</summary>
    public required long Signups { get; init; }

    public required bool Appealed { get; init; }

    /// <summary>"allow" or "deny"; null until resolved.</summary>
    public string? Resolution { get; init; }

    public string? ResolvedBy { get; init; }

    public DateTimeOffset? ResolvedAt { get; init; }
}
