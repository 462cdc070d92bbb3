namespace SignupGuard.Core.Linkage;

/// <summary>
/// What one signup saw on one of its keys: the counts include this signup, the evidence looks only at the others.
/// </summary>
public struct Link
{
    /// <summary>False when the signup lacks the key; then nothing else means anything.</summary>
    public bool Present { get; set; }

    public LinkKey Key { get; set; }

    /// <summary>Distinct accounts ever, this one included: at least 1.</summary>
    public long Accounts { get; set; }

    /// <summary>Distinct accounts in the window that ends with this signup, this one included.</summary>
    public double TenMinutes { get; set; }

    public double Hour { get; set; }

    public double Day { get; set; }

    /// <summary>Decayed accounts that count as evidence, this one excluded.</summary>
    public double Others { get; set; }

    /// <summary>What chance expects of <see cref="Others"/>; composites and bursts only, else NaN.</summary>
    public double Expected { get; set; }

    /// <summary>Powers of ten, before the gate; composites and bursts only.</summary>
    public double Surprise { get; set; }

    /// <summary>How far the anomaly gate is open, 0 to 1; soft keys only.</summary>
    public double Gate { get; set; }

    /// <summary>Log-odds this key adds by itself; 0 when it says nothing.</summary>
    public double Evidence { get; set; }

    /// <summary>Whether <see cref="Surprise"/> is of a burst rather than of the count.</summary>
    public bool IsBurst { get; set; }

    public double Bad { get; set; }

    public double Good { get; set; }

    /// <summary>Different values of the rule's spread attribute, this signup's included; 0 when the rule has none.</summary>
    public int Spread { get; set; }

    /// <summary>Milliseconds since the key was first seen; 0 for a new one.</summary>
    public long AgeMs { get; set; }

    /// <summary>Of a domain's key: when the domain was registered, as an earlier signup's caller found; 0 while unknown.</summary>
    public long RegisteredMs { get; set; }

    /// <summary>0 when the key ties no cluster together.</summary>
    public long Cluster { get; set; }

    /// <summary>Convincing enough to tie accounts together, now or before.</summary>
    public bool Promoted { get; set; }

    /// <summary>Promoted by this very signup.</summary>
    public bool NewlyPromoted { get; set; }

    /// <summary>The key is exempt: not <see cref="Present"/> to rules and evidence, counted all the same.</summary>
    public bool Exempt { get; set; }

    /// <summary>Where the key's state is in the table looked at; good until the table forgets keys. <see cref="KeyTable.Nowhere"/> for a key not seen before.</summary>
    internal int Slot { get; set; }

    /// <summary>Whether the key remembers the signup's account.</summary>
    internal bool Holds { get; set; }

    /// <summary>From when the key was last seen to the time of the look.</summary>
    internal double Decay { get; set; }
}
