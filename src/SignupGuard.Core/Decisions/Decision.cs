using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Decisions;

/// <summary>What to do with an account. The order is the severity: allow &lt; review &lt; deny; the numbers are stored.</summary>
public enum Verdict : short
{
    Allow = 1,
    Review = 2,
    Deny = 3,
}

/// <summary>One step of an evidence path: a key that ties the signup to others.</summary>
/// <param name="Accounts">On the key, this one included.</param>
/// <param name="Expected">What chance would have put there; null for hard keys.</param>
/// <param name="Strength">Log-odds.</param>
public sealed record EvidenceStep(KeyKind Kind, LinkKey Key, long Accounts, double? Expected, double Strength, double ConfirmedBad);

/// <summary>Why: one named contribution to the log-odds, or one outright rule (contribution 0).</summary>
public sealed record Reason(string Code, string Text, double Contribution, EvidenceStep? Evidence)
{
    /// <summary>The decision rule; null for a shared key.</summary>
    public string? RuleId { get; init; }
}

/// <summary>What the policy made of one signup. Pure function of facts and policy.</summary>
public sealed record Judgement
{
    public required Verdict Verdict { get; init; }

    /// <summary>Log-odds of fraud, before calibration: what thresholds and baselines are ranked by.</summary>
    public required double LogOdds { get; init; }

    /// <summary>Probability of fraud, percent.</summary>
    public required double Score { get; init; }

    /// <summary>Strongest first; outright rules before all.</summary>
    public required IReadOnlyList<Reason> Reasons { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public required IReadOnlyList<string> Obligations { get; init; }

    /// <summary>Ids of rules that could not be decided because a fact was missing.</summary>
    public required IReadOnlyList<string> Undecided { get; init; }
}
