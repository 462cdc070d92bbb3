namespace SignupGuard.Core.Linkage;

/// <summary>
/// How much a soft key's count speaks against chance. A key many share says nothing by its size; it speaks when more accounts are on it than
/// independence of its parts expects, and when those accounts are of the kind that hides.
/// </summary>
public sealed record SoftEvidence
{
    /// <summary>Least expected count: below it a pair of accounts would already look like a miracle. 0.01 to 10.</summary>
    public double ExpectedMin { get; init; } = 0.35;

    /// <summary>Decayed earlier accounts needed before the key speaks at all. 0 to 100.</summary>
    public double CountMin { get; init; } = 1.2;

    /// <summary>Times the expected count needed. 1 to 1,000.</summary>
    public double RatioMin { get; init; } = 2.5;

    /// <summary>Bound on one key's surprise, powers of ten. 0 to 100.</summary>
    public double SurpriseMax { get; init; } = 6;

    /// <summary>Share of the surprise that counts when no account on the key is anomalous. 0 to 1.</summary>
    public double GateFloor { get; init; } = 0.25;

    /// <summary>Anomalous share up to which only the floor counts. 0 to 1.</summary>
    public double GateFrom { get; init; } = 0.12;

    /// <summary>Width over which the gate opens fully. 0.01 to 1.</summary>
    public double GateWidth { get; init; } = 0.38;

    /// <summary>How many of a signup's soft keys count. 1 to 32.</summary>
    public int Best { get; init; } = 4;

    /// <summary>Each further key counts this much of the one before: they are not independent. 0 to 1.</summary>
    public double RankFactor { get; init; } = 0.55;

    /// <summary>Log-odds per unit of the sum: soft keys are correlated evidence. 0 to 10.</summary>
    public double Weight { get; init; } = 0.55;

    /// <summary>Accounts of one organisation that count on a soft key. 0 to 100.</summary>
    public int OrganisationAccounts { get; init; } = 2;

    /// <summary>Pseudo-counts of the anomalous share: an unseen key is taken as 12 % anomalous, the weight of two accounts.</summary>
    private const double PriorAnomalous = 0.24;
    private const double PriorAccounts = 2;

    /// <summary>
    /// Poisson surprise of <paramref name="count"/> where <paramref name="expected"/> was expected, in powers of ten and bounded: the log-likelihood
    /// ratio n·ln(n/λ) − (n − λ) of a Poisson mean n against λ. 0 when the count is small or near what was expected.
    /// </summary>
    public double Surprise(double count, double expected)
    {
        var lambda = Math.Max(ExpectedMin, expected);
        if (count < CountMin || count < RatioMin * lambda) return 0;
        return Math.Min(SurpriseMax, ((count * Math.Log(count / lambda)) - (count - lambda)) / Math.Log(10));
    }

    /// <summary>How far the anomaly gate is open for a key of so many anomalous among all accounts: <see cref="GateFloor"/> to 1.</summary>
    public double Gate(double anomalous, double count)
    {
        var share = (anomalous + PriorAnomalous) / (count + PriorAccounts);
        return GateFloor + ((1 - GateFloor) * Math.Clamp((share - GateFrom) / GateWidth, 0, 1));
    }
}

/// <summary>When a key is convincing enough to tie accounts into a cluster.</summary>
public sealed record Promotion
{
    /// <summary>Surprise before the gate, powers of ten. 0 to 100.</summary>
    public double Surprise { get; init; } = 3;

    /// <summary>How far the gate must be open. 0 to 1.</summary>
    public double Gate { get; init; } = 0.6;

    /// <summary>Accounts confirmed bad that promote any key, together with <see cref="BadShare"/>. 1 to 1,000.</summary>
    public double Bad { get; init; } = 2;

    /// <summary>Share of the key's accounts confirmed bad. 0 to 1.</summary>
    public double BadShare { get; init; } = 0.5;
}
