using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>When a campaign's accounts are made: instants in order, inside the run.</summary>
internal static class Pacing
{
    private const long MinuteMs = 60_000;
    private const long HourMs = 60 * MinuteMs;
    private const long DayMs = 24 * HourMs;

    /// <summary>Begin and end of a campaign of about so many days, anywhere in the run.</summary>
    public static (long StartMs, long EndMs) Window(RandomSource random, Surroundings world, double days)
    {
        var run = world.EndMs - world.StartMs;
        var length = Math.Min(run, Math.Max(HourMs / 2, (long)(days * DayMs)));
        var start = world.StartMs + (long)(random.Unit() * (run - length));
        return (start, start + length);
    }

    /// <summary>A script that runs through, with jitter.</summary>
    public static long[] Steady(RandomSource random, (long StartMs, long EndMs) window, int count)
    {
        var times = new long[count];
        for (var i = 0; i < count; i++) times[i] = window.StartMs + (long)(random.Unit() * (window.EndMs - window.StartMs));
        Array.Sort(times);
        return times;
    }

    /// <summary>People at work: twelve hours a day in the operators' zone.</summary>
    public static long[] Shifts(RandomSource random, (long StartMs, long EndMs) window, int count, string zone)
    {
        var begin = random.Between(7, 13);
        var times = new long[count];
        for (var i = 0; i < count; i++)
        {
            for (var attempt = 0; ; attempt++)
            {
                var at = window.StartMs + (long)(random.Unit() * (window.EndMs - window.StartMs));
                var hour = (int)((at / HourMs + Zones.OffsetMinutes(zone, at) / 60 + 48) % 24);
                var onShift = (hour - begin + 24) % 24 < 12;
                // A window that holds no shift is used all the same.
                if (!onShift && attempt < 24 && !random.Chance(0.04)) continue;
                times[i] = at;
                break;
            }
        }
        Array.Sort(times);
        return times;
    }

    /// <summary>Batches of about so many within some minutes, pauses between.</summary>
    public static long[] Waves(RandomSource random, (long StartMs, long EndMs) window, int count, int perWave, double minutes)
    {
        var waves = Math.Max(1, count / Math.Max(1, perWave));
        var starts = Steady(random, window, waves);
        var times = new long[count];
        for (var i = 0; i < count; i++)
            times[i] = Math.Min(window.EndMs - 1, starts[random.Below(waves)] + (long)(random.Exponential(minutes) * MinuteMs));
        Array.Sort(times);
        return times;
    }
}
