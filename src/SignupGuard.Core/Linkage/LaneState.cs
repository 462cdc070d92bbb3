namespace SignupGuard.Core.Linkage;

/// <summary>
/// What is known of all of a tenant's signups together: how many there were lately, and how they spread over the hours of the week.
/// Chance is measured against it. Mutable; changed by one batch at a time.
/// </summary>
public sealed class LaneState
{
    public const int HoursOfWeek = 168;

    /// <summary>Different half-lives whose totals are kept: bounds the stored size.</summary>
    public const int TotalsMax = 16;

    /// <summary>Days after which a past hour's traffic counts half in the weekly profile.</summary>
    private const double SeasonHalfLifeDays = 28;

    /// <summary>Signups' worth of evenness assumed an hour before any was seen: a new installation's profile is flat.</summary>
    private const double SeasonPrior = 20;

    /// <summary>Bounds of the seasonal factor: a dead hour does not make one signup a miracle, a peak does not excuse everything.</summary>
    private const double FactorMin = 0.2;
    private const double FactorMax = 5;

    internal double[] Season { get; } = new double[HoursOfWeek];

    /// <summary>Hour (since 1970) up to which the profile is decayed.</summary>
    internal long SeasonHour { get; set; }

    /// <summary>Decayed number of signups by half-life in days, as of a time; shortest half-life first. There are two or three.</summary>
    internal List<LaneTotal> Totals { get; } = [];

    private double? _seasonSum;

    /// <summary>Decayed number of signups before now; at least 1, so that it can be divided by.</summary>
    public double TotalAt(long atMs, double halfLifeDays) =>
        Find(halfLifeDays) is var at and >= 0 ? Math.Max(1, Totals[at].Count * KeyState.Decay(Totals[at].AtMs, atMs, halfLifeDays)) : 1;

    /// <summary>This hour of the week against an average hour: 1 when as busy as the average.</summary>
    public double SeasonFactor(long atMs)
    {
        var sum = _seasonSum ??= Sum();
        return Math.Clamp((Season[HourOfWeek(atMs)] + SeasonPrior) * HoursOfWeek / (sum + (SeasonPrior * HoursOfWeek)), FactorMin, FactorMax);
    }

    private double Sum()
    {
        var sum = 0d;
        foreach (var count in Season) sum += count;
        return sum;
    }

    /// <summary>Counts one signup.</summary>
    public void Add(long atMs, IReadOnlyList<double> halfLivesDays)
    {
        foreach (var halfLifeDays in halfLivesDays)
        {
            var at = Find(halfLifeDays);
            var (_, count, last) = at >= 0 ? Totals[at] : new LaneTotal(halfLifeDays, 0, atMs);
            var total = new LaneTotal(halfLifeDays, (count * KeyState.Decay(last, atMs, halfLifeDays)) + KeyState.Decay(atMs, last, halfLifeDays), Math.Max(last, atMs));
            if (at >= 0) Totals[at] = total;
            else Totals.Insert(~at, total);
        }
        var hour = atMs / KeyState.HourMs;
        if (SeasonHour == 0) SeasonHour = hour;
        if (hour > SeasonHour)
        {
            var decay = double.Exp2((SeasonHour - hour) / (SeasonHalfLifeDays * 24));
            foreach (ref var count in Season.AsSpan()) count *= decay;
            SeasonHour = hour;
        }
        Season[HourOfWeek(atMs)]++;
        _seasonSum = null;
    }

    /// <summary>Where a half-life's total stands; the complement of where it belongs when there is none.</summary>
    private int Find(double halfLifeDays)
    {
        for (var i = 0; i < Totals.Count; i++)
        {
            if (Totals[i].HalfLifeDays >= halfLifeDays) return Totals[i].HalfLifeDays == halfLifeDays ? i : ~i;
        }
        return ~Totals.Count;
    }

    private static int HourOfWeek(long atMs) => (int)(((atMs / KeyState.HourMs) % HoursOfWeek + HoursOfWeek) % HoursOfWeek);
}

/// <summary>Decayed number of signups as of a time.</summary>
internal readonly record struct LaneTotal(double HalfLifeDays, double Count, long AtMs);
