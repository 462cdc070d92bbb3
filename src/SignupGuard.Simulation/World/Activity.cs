using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.World;

/// <summary>When people sign up: by the hour of the week where they live, a little differently each day.</summary>
internal sealed class Activity
{
    private const long HourMs = 3_600_000;

    private static readonly double[] Leisure = [3.2, 1.8, 1.1, 0.8, 0.7, 0.9, 1.6, 2.8, 3.9, 4.6, 5.0, 5.2, 5.1, 5.0, 5.0, 5.1, 5.2, 5.4, 5.7, 6.2, 6.8, 6.9, 6.0, 4.6];
    private static readonly double[] Work = [0.1, 0.05, 0.05, 0.05, 0.05, 0.1, 0.4, 1.6, 4.8, 7.6, 8.4, 7.8, 5.6, 6.4, 7.6, 7.2, 5.6, 3.2, 1.2, 0.6, 0.4, 0.3, 0.2, 0.15];

    private readonly long _startMs;
    private readonly double[] _cumulative;
    private readonly Weighted<Country>[] _countries;

    /// <param name="work">Office hours rather than evenings and week-ends.</param>
    public Activity(ulong seed, long startMs, long endMs, bool work)
    {
        _startMs = startMs;
        var hours = (int)Math.Ceiling((endMs - startMs) / (double)HourMs);
        var random = RandomSource.For(seed, work ? "activity work" : "activity leisure");
        _cumulative = new double[hours + 1];
        _countries = new Weighted<Country>[hours];
        var curve = work ? Work : Leisure;
        var day = 1.0;
        for (var hour = 0; hour < hours; hour++)
        {
            // Newspapers, holidays, a launch: days differ.
            if (hour % 24 == 0) day = random.LogNormal(1, 0.12);
            var atMs = startMs + hour * HourMs;
            var weights = new List<(Country, double)>(Countries.All.Count);
            var sum = 0.0;
            foreach (var country in Countries.All)
            {
                var localMs = atMs + Zones.OffsetMinutes(country.MainZone, atMs) * 60_000L;
                var local = DateTimeOffset.FromUnixTimeMilliseconds(localMs);
                var weekend = local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
                var weight = country.Weight * curve[local.Hour] * (weekend ? work ? 0.08 : 1.12 : 1);
                weights.Add((country, weight));
                sum += weight;
            }
            var share = Math.Min(1, (endMs - atMs) / (double)HourMs);
            _cumulative[hour + 1] = _cumulative[hour] + sum * day * share;
            _countries[hour] = new Weighted<Country>(weights);
        }
    }

    /// <summary>The instant before which a share (0 to 1) of the run's signups happen.</summary>
    public long At(double share)
    {
        var mass = share * _cumulative[^1];
        var found = Array.BinarySearch(_cumulative, mass);
        var hour = Math.Clamp(found < 0 ? ~found - 1 : found, 0, _countries.Length - 1);
        var within = (mass - _cumulative[hour]) / (_cumulative[hour + 1] - _cumulative[hour]);
        return _startMs + hour * HourMs + (long)(within * HourMs);
    }

    /// <summary>Where somebody who signs up now probably lives.</summary>
    public Country Country(RandomSource random, long atMs) => _countries[Math.Clamp((int)((atMs - _startMs) / HourMs), 0, _countries.Length - 1)].Pick(random);
}

/// <summary>
/// A fixed number of arrivals in order, one at a time: the order statistics of as many uniform numbers, drawn in sequence, so nothing has to be
/// stored or sorted.
/// </summary>
internal sealed class Arrivals(Activity activity, RandomSource random, int count)
{
    private double _share;

    public int Remaining { get; private set; } = count;

    /// <summary>The next arrival; call only while some remain.</summary>
    public long Next()
    {
        _share = 1 - (1 - _share) * PortableMath.Pow(1 - random.Unit(), 1.0 / Remaining);
        Remaining--;
        return activity.At(Math.Min(_share, 0.999999999));
    }

    /// <summary>Gives up the arrivals that the last one's company takes up.</summary>
    public void Skip(int arrivals)
    {
        for (var i = 0; i < arrivals && Remaining > 0; i++) Next();
    }
}
