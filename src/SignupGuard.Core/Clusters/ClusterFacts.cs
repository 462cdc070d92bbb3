using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Clusters;

/// <summary>What is known of a network of accounts when one of its members is decided.</summary>
public sealed record ClusterFacts
{
    public required long Id { get; init; }

    /// <summary>Accounts in it.</summary>
    public required long Size { get; init; }

    /// <summary>Members whose decision in force is deny.</summary>
    public required long Denied { get; init; }

    /// <summary>Members confirmed bad by outcome or review.</summary>
    public required long ConfirmedBad { get; init; }

    /// <summary>Members cleared by outcome or review.</summary>
    public required long ConfirmedGood { get; init; }

    /// <summary>Members that joined in the hour before the newest joined.</summary>
    public required double LastHour { get; init; }

    public required KeyGroups Groups { get; init; }

    public required long FirstSeenMs { get; init; }

    public required long LastSeenMs { get; init; }

    public double DeniedRatio => Size == 0 ? 0 : (double)Denied / Size;

    public double ConfirmedBadRatio => Size == 0 ? 0 : (double)ConfirmedBad / Size;

    public int KeyGroupCount => System.Numerics.BitOperations.PopCount((uint)Groups);
}
