using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>IANA time zones, by the zone data of the machine.</summary>
internal static partial class TimeZones
{
    public const int NameCharactersMax = 64;

    // Only zones that exist are remembered, so callers can't grow it.
    private static readonly ConcurrentDictionary<string, bool> Found = new(StringComparer.Ordinal);

    /// <summary>False on a machine without zone data: there every zone would look unknown, so the service refuses to start.</summary>
    public static bool DataPresent => Has("Europe/Berlin") && Has("America/New_York");

    [GeneratedRegex("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Name { get; }

    public static bool Has(string name)
    {
        if (Found.ContainsKey(name)) return true;
        // The look-up below reads files by this name.
        if (name.Length > NameCharactersMax || !Name.IsMatch(name)) return false;
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) || !zone.HasIanaId) return false;
        Found.TryAdd(name, true);
        return true;
    }
}
