using System.Collections.Frozen;

namespace SignupGuard.Simulation.World;

/// <summary>Offsets of the time zones people live in, daylight saving included, from 2000 to 2100. Own table: the system's may be missing or another version.</summary>
internal static class Zones
{
    private enum Saving : byte
    {
        None,
        Europe,
        NorthAmerica,
        Australia,
        Egypt,
    }

    private static readonly FrozenDictionary<string, (int Minutes, Saving Saving)> Table = new Dictionary<string, (int, Saving)>
    {
        ["UTC"] = (0, Saving.None),
        ["America/New_York"] = (-300, Saving.NorthAmerica),
        ["America/Chicago"] = (-360, Saving.NorthAmerica),
        ["America/Denver"] = (-420, Saving.NorthAmerica),
        ["America/Phoenix"] = (-420, Saving.None),
        ["America/Los_Angeles"] = (-480, Saving.NorthAmerica),
        ["America/Toronto"] = (-300, Saving.NorthAmerica),
        ["America/Vancouver"] = (-480, Saving.NorthAmerica),
        ["America/Edmonton"] = (-420, Saving.NorthAmerica),
        ["America/Halifax"] = (-240, Saving.NorthAmerica),
        ["America/Mexico_City"] = (-360, Saving.None),
        ["America/Monterrey"] = (-360, Saving.None),
        ["America/Sao_Paulo"] = (-180, Saving.None),
        ["America/Fortaleza"] = (-180, Saving.None),
        ["America/Manaus"] = (-240, Saving.None),
        ["America/Argentina/Buenos_Aires"] = (-180, Saving.None),
        ["America/Argentina/Cordoba"] = (-180, Saving.None),
        ["Europe/London"] = (0, Saving.Europe),
        ["Europe/Berlin"] = (60, Saving.Europe),
        ["Europe/Paris"] = (60, Saving.Europe),
        ["Europe/Madrid"] = (60, Saving.Europe),
        ["Atlantic/Canary"] = (0, Saving.Europe),
        ["Europe/Rome"] = (60, Saving.Europe),
        ["Europe/Amsterdam"] = (60, Saving.Europe),
        ["Europe/Warsaw"] = (60, Saving.Europe),
        ["Europe/Stockholm"] = (60, Saving.Europe),
        ["Europe/Zurich"] = (60, Saving.Europe),
        ["Europe/Bucharest"] = (120, Saving.Europe),
        ["Europe/Moscow"] = (180, Saving.None),
        ["Europe/Istanbul"] = (180, Saving.None),
        ["Asia/Kolkata"] = (330, Saving.None),
        ["Asia/Karachi"] = (300, Saving.None),
        ["Asia/Dhaka"] = (360, Saving.None),
        ["Asia/Jakarta"] = (420, Saving.None),
        ["Asia/Makassar"] = (480, Saving.None),
        ["Asia/Manila"] = (480, Saving.None),
        ["Asia/Ho_Chi_Minh"] = (420, Saving.None),
        ["Asia/Shanghai"] = (480, Saving.None),
        ["Asia/Hong_Kong"] = (480, Saving.None),
        ["Asia/Singapore"] = (480, Saving.None),
        ["Asia/Tokyo"] = (540, Saving.None),
        ["Asia/Seoul"] = (540, Saving.None),
        ["Australia/Sydney"] = (600, Saving.Australia),
        ["Australia/Melbourne"] = (600, Saving.Australia),
        ["Australia/Brisbane"] = (600, Saving.None),
        ["Australia/Perth"] = (480, Saving.None),
        ["Africa/Johannesburg"] = (120, Saving.None),
        ["Africa/Lagos"] = (60, Saving.None),
        ["Africa/Cairo"] = (120, Saving.Egypt),
    }.ToFrozenDictionary();

    public static IEnumerable<string> Names => Table.Keys.Order(StringComparer.Ordinal);

    /// <summary>Minutes east of UTC at an instant (Unix milliseconds).</summary>
    public static int OffsetMinutes(string zone, long atMs)
    {
        var (minutes, saving) = Table[zone];
        return saving != Saving.None && InSaving(saving, minutes, atMs) ? minutes + 60 : minutes;
    }

    private static bool InSaving(Saving saving, int standardMinutes, long atMs)
    {
        var year = DateTimeOffset.FromUnixTimeMilliseconds(atMs).Year;
        switch (saving)
        {
            case Saving.Europe:
                return atMs >= Sunday(year, 3, -1, 60) && atMs < Sunday(year, 10, -1, 60);
            case Saving.NorthAmerica:
                return atMs >= Sunday(year, 3, 2, 120 - standardMinutes) && atMs < Sunday(year, 11, 1, 60 - standardMinutes);
            case Saving.Australia:
                return atMs < Sunday(year, 4, 1, 120 - standardMinutes) || atMs >= Sunday(year, 10, 1, 120 - standardMinutes);
            default:
                // Egypt: the last Friday of April 00:00 to the last Thursday of October 24:00, local.
                return atMs >= Last(year, 4, DayOfWeek.Friday, -standardMinutes) && atMs < Last(year, 10, DayOfWeek.Thursday, 24 * 60 - standardMinutes - 60);
        }
    }

    /// <summary>The n-th (or, for -1, the last) Sunday of a month, plus minutes, in UTC milliseconds.</summary>
    private static long Sunday(int year, int month, int n, int minutes)
    {
        if (n < 0) return Last(year, month, DayOfWeek.Sunday, minutes);
        var first = new DateTimeOffset(year, month, 1, 0, 0, 0, TimeSpan.Zero);
        return first.AddDays((7 - (int)first.DayOfWeek) % 7 + 7 * (n - 1)).AddMinutes(minutes).ToUnixTimeMilliseconds();
    }

    private static long Last(int year, int month, DayOfWeek day, int minutes)
    {
        var last = new DateTimeOffset(year, month, DateTime.DaysInMonth(year, month), 0, 0, 0, TimeSpan.Zero);
        return last.AddDays(-(((int)last.DayOfWeek - (int)day + 7) % 7)).AddMinutes(minutes).ToUnixTimeMilliseconds();
    }
}
