namespace SignupGuard.Simulation;

/// <summary>Which ranges the campaigns' parameters are drawn from. See docs/simulator.md for how the split is kept.</summary>
public enum ParameterSet
{
    /// <summary>What defaults and thresholds may be tuned on.</summary>
    Default,

    /// <summary>Other ranges for the same families, for measuring only.</summary>
    HeldOut,
}

/// <summary>What to simulate. The same options give the same signups, to the byte, on every system.</summary>
public sealed record SimulationOptions
{
    /// <summary>Share of all signups that are attacks where <see cref="Families"/> is not set: one in six.</summary>
    public const double AttackShareDefault = 0.16;

    public const int BenignMax = 100_000_000;
    public const double DaysMax = 3_660;

    /// <summary>Monday, 2 February 2026, 00:00 UTC.</summary>
    public static readonly DateTimeOffset StartDefault = new(2026, 2, 2, 0, 0, 0, TimeSpan.Zero);

    public ulong Seed { get; init; } = 1;

    /// <summary>Signups of ordinary customers, exactly. 0 to <see cref="BenignMax"/>.</summary>
    public int Benign { get; init; } = 40_000;

    /// <summary>Length of the run. More than 0, at most <see cref="DaysMax"/>.</summary>
    public double Days { get; init; } = 14;

    /// <summary>When the run begins. Fixed unless set, so that a run does not depend on the clock.</summary>
    public DateTimeOffset Start { get; init; } = StartDefault;

    /// <summary>
    /// Signups by attack family (names of <see cref="Campaigns.Families"/>), exactly. Null: all families in the default mix, together
    /// <see cref="AttackShareDefault"/> of all signups. Empty: no attacks.
    /// </summary>
    public IReadOnlyDictionary<string, int>? Families { get; init; }

    public ParameterSet Parameters { get; init; } = ParameterSet.Default;

    /// <summary>Campaign parameters set by hand, by name (see <see cref="Campaigns.Parameter.All"/>); they replace the set's ranges.</summary>
    public IReadOnlyDictionary<string, ParameterRange> ParameterOverrides { get; init; } = System.Collections.Frozen.FrozenDictionary<string, ParameterRange>.Empty;

    /// <summary>Each error as a sentence; empty when the options can be run.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Benign is < 0 or > BenignMax) errors.Add($"Benign must be 0 to {BenignMax}.");
        if (!(Days > 0 && Days <= DaysMax)) errors.Add($"Days must be more than 0 and at most {DaysMax}.");
        if (Start.Year is < 2001 or > 2090) errors.Add("Start must be in the years 2001 to 2090.");
        foreach (var (name, count) in Families ?? System.Collections.Frozen.FrozenDictionary<string, int>.Empty)
        {
            if (!Campaigns.Families.All.Contains(name)) errors.Add($"There is no family '{name}'. Known: {string.Join(", ", Campaigns.Families.All)}.");
            if (count is < 0 or > BenignMax) errors.Add($"The count of {name} must be 0 to {BenignMax}.");
        }
        foreach (var (name, range) in ParameterOverrides)
        {
            if (!Campaigns.Parameter.All.Any(parameter => parameter.Name == name)) errors.Add($"There is no parameter '{name}'.");
            else if (!(range.Low <= range.High) || range.Low < 0 || !double.IsFinite(range.High)) errors.Add($"The range of {name} must be 0 <= low <= high.");
        }
        return errors;
    }
}

/// <summary>Both ends included; a campaign draws its own value from it.</summary>
public readonly record struct ParameterRange(double Low, double High);
