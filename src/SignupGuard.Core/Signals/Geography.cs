using System.Collections.Frozen;

namespace SignupGuard.Core.Signals;

/// <summary>Comparing countries (ISO 3166-1 alpha-2).</summary>
public static class Country
{
    /// <summary>Null when either is missing.</summary>
    public static bool? Same(string? one, string? other) => one is null || other is null ? null : string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Which time zones and languages belong to which country. Pure; without data everything is missing.</summary>
public sealed class Geography(FrozenDictionary<string, string[]> countriesOfZone, FrozenDictionary<string, FrozenSet<string>> languagesOfCountry)
{
    /// <summary>Nothing known.</summary>
    public static readonly Geography None = new(FrozenDictionary<string, string[]>.Empty, FrozenDictionary<string, FrozenSet<string>>.Empty);

    public int Zones => countriesOfZone.Count;

    public int Countries => languagesOfCountry.Count;

    /// <summary>
    /// Whether an IANA zone (or an old name of one) is used in a country; null for zones without a place (UTC, Etc/GMT+3) and names not
    /// known.
    /// </summary>
    public bool? ZoneInCountry(string? zone, string? country) =>
        zone is null || country is null || !countriesOfZone.TryGetValue(zone, out var countries)
            ? null
            : countries.Contains(country, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a language (primary tag, lower case) is official or widely spoken in a country; null for countries not known.</summary>
    public bool? SpokenIn(string? language, string? country) =>
        language is null || country is null || !languagesOfCountry.TryGetValue(country, out var languages) ? null : languages.Contains(language);
}
