using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;

namespace SignupGuard.Storage.Policies;

/// <summary>Why a change of the policy is refused. Nothing was changed.</summary>
public abstract record PolicyRefusal
{
    private PolicyRefusal()
    {
    }

    /// <summary>No version of this number.</summary>
    public sealed record Unknown(long Version) : PolicyRefusal;

    /// <summary>Someone else was first: the etag is another.</summary>
    public sealed record Changed(long Version) : PolicyRefusal;

    /// <summary>Someone else was first: another version is active than the caller thinks.</summary>
    public sealed record ActiveChanged(long ActiveVersion) : PolicyRefusal;

    /// <summary>Another version went live since the draft was begun or brought up to date: going live would undo it.</summary>
    public sealed record BaseOutdated(long? BaseVersion, long ActiveVersion) : PolicyRefusal;

    /// <summary>The version's state does not allow it.</summary>
    public sealed record State(PolicyState Is) : PolicyRefusal;

    /// <summary>The document does not validate.</summary>
    public sealed record Invalid(IReadOnlyList<PolicyIssue> Issues) : PolicyRefusal;

    public sealed record BacktestRequired : PolicyRefusal;

    public sealed record SecondPersonRequired : PolicyRefusal;

    /// <summary>A shadow judges by the active version's links.</summary>
    public sealed record ShadowLinkageDiffers(IReadOnlyList<PolicyDifference> Differences) : PolicyRefusal;

    public sealed record ShadowsTaken(int Max) : PolicyRefusal;
}

/// <summary>The version after the change, or why there was none.</summary>
public readonly record struct PolicyChange(StoredPolicy? Policy, PolicyReading? Reading, PolicyRefusal? Refusal)
{
    public static implicit operator PolicyChange(PolicyRefusal refusal) => new(null, null, refusal);
}

/// <summary>When and why a version went in force.</summary>
/// <param name="Kind">shipped, published, rolled_back.</param>
public sealed record StoredActivation(long Version, long? PreviousVersion, string Kind, string Actor, string? Reason, DateTimeOffset At);

/// <summary>The latest backtest of a version.</summary>
/// <param name="ContentHash">Of the content it was run on.</param>
public sealed record StoredBacktest(long Version, byte[] ContentHash, string Actor, DateTimeOffset At);

/// <summary>A policy in use.</summary>
/// <param name="Run">Of a shadow; 0 for the active one.</param>
public sealed record LoadedPolicy(Policy Policy, long Run);

/// <summary>
/// What the database says is in use: cheap to ask for, and equal as long as nothing changed, not even by hand.
/// </summary>
/// <param name="Marks">Version and row version of the active policy and of the shadows.</param>
public sealed record PolicyMarks(string Marks)
{
    /// <summary>Nothing is stored yet.</summary>
    public static readonly PolicyMarks None = new("");
}

/// <summary>A stored version that can't be used, and why.</summary>
public sealed record UnusablePolicy(long Version, IReadOnlyList<PolicyIssue> Issues);

/// <summary>The policies to use.</summary>
/// <param name="Marks">As of the reading.</param>
/// <param name="Active">Null when what should be active can't be used.</param>
/// <param name="Unusable">What was left out.</param>
public sealed record LoadedPolicies(PolicyMarks Marks, Policy? Active, IReadOnlyList<LoadedPolicy> Shadows, IReadOnlyList<UnusablePolicy> Unusable);

/// <summary>How often a shadow moved a verdict.</summary>
public sealed record ShadowMove(Verdict Active, Verdict Shadow, long Signups);

/// <summary>A signup that a shadow would have decided otherwise.</summary>
public sealed record ShadowDifference
{
    public required string SignupId { get; init; }

    public required DateTimeOffset JudgedAt { get; init; }

    public required long ActiveVersion { get; init; }

    public required Verdict ActiveVerdict { get; init; }

    public required Verdict ShadowVerdict { get; init; }

    public required double ActiveScore { get; init; }

    public required double ShadowScore { get; init; }

    /// <summary>The shadow's reason codes, strongest first.</summary>
    public required string[] Reasons { get; init; }
}
