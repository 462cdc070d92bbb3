namespace SignupGuard.Core.Linkage;

/// <summary>How a key counts as evidence.</summary>
public enum LinkClass : byte
{
    /// <summary>Dear to change and owned by one person: evidence by itself above its tolerance.</summary>
    Hard,

    /// <summary>Shared by strangers: evidence only where more accounts share it than chance expects.</summary>
    Soft,
}

/// <summary>Whether a rule takes part.</summary>
public enum RuleMode : byte
{
    Live,

    /// <summary>Counted and reported, without effect on the verdict.</summary>
    Shadow,
    Off,
}

/// <summary>One linkage rule of the policy: which key ties accounts together and how strongly.</summary>
public sealed record LinkageRule
{
    /// <summary>Place in the policy's rules: where a signup's link by this rule stands in a <see cref="LinkSet"/>.</summary>
    public required int Index { get; init; }

    public required KeyKind Kind { get; init; }

    public required LinkClass Class { get; init; }

    /// <summary>Hard keys: log-odds per doubling of accounts above tolerance. Soft composites and bursts: factor on their surprise. 0 to 10.</summary>
    public required double Weight { get; init; }

    /// <summary>Earlier accounts that are ordinary on one key (a household's card); 0 to 1,000. Hard keys only.</summary>
    public double Tolerance { get; init; }

    /// <summary>Days after which an account counts half; 0.01 to 3,650.</summary>
    public required double HalfLifeDays { get; init; }

    /// <summary>Whether a sudden run of accounts on this single soft key is evidence too.</summary>
    public bool Burst { get; init; }

    /// <summary>The attribute whose different values on this key are counted (surnames on one card); null for none.</summary>
    public LinkAttribute? Spread { get; init; }

    /// <summary>Whether enough surprise makes this key tie a cluster together.</summary>
    public bool Promotes { get; init; } = true;

    public RuleMode Mode { get; init; }

    /// <summary>
    /// The attribute within whose values a composite's parts are taken as independent: cards and time zones both follow the country, so chance is
    /// measured inside one country. Null: among all signups.
    /// </summary>
    public LinkAttribute? Given { get; init; }

    /// <summary>Rules of a composite's parts, whose counts say what chance expects; empty for single attributes.</summary>
    public IReadOnlyList<int> Parts { get; init; } = [];

    /// <summary>Rule of <see cref="Given"/> itself, whose count is the total; null where all signups are.</summary>
    public int? Total { get; init; }

    /// <summary>
    /// Evidence of <paramref name="earlier"/> decayed unexplained accounts before this one: w·log2(1 + m − 0.9·tol) for m above tolerance, else 0.
    /// The 0.9 keeps the step at the tolerance small; grows with the logarithm, since the hundredth account adds little to the ninetieth.
    /// </summary>
    public double HardEvidence(double earlier) =>
        earlier > Tolerance ? Weight * Math.Log2(1 + earlier - (0.9 * Tolerance)) : 0;
}
