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
/// <param name="Strength">Log-odds.</param>
/// <param name="Samples">Ordinals of earlier signups on the key.</param>
public sealed record EvidenceStep(KeyKind Kind, LinkKey Key, long Accounts, double Strength, double ConfirmedBad, IReadOnlyList<long> Samples);

/// <summary>Why: one named contribution to the log-odds, or one outright rule (contribution 0).</summary>
public sealed record Reason(string Code, string Text, double Contribution, IReadOnlyList<EvidenceStep> Path);

/// <summary>What the policy made of one signup. Pure function of facts and policy.</summary>
public sealed record Judgement
{
    public required Verdict Verdict { get; init; }

    /// <summary>Probability of fraud, percent.</summary>
    public required double Score { get; init; }

    /// <summary>Strongest first; outright rules before all.</summary>
    public required IReadOnlyList<Reason> Reasons { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public required IReadOnlyList<string> Obligations { get; init; }

    /// <summary>Ids of rules that could not be decided because a fact was missing.</summary>
    public required IReadOnlyList<string> Undecided { get; init; }
}
