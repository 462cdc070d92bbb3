using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.ReferenceData;

/// <summary>Readers of the restored files, each by its package's own form.</summary>
internal static class ReferenceFiles
{
    /// <summary>Share of a country's people who use a language, in percent, from which on it counts as spoken there.</summary>
    private const double SpokenMin = 1;

    /// <summary>
    /// Zones that people of a small country use because it lies within another's: their machines know only the neighbour's name.
    /// </summary>
    private static readonly Dictionary<string, string[]> SharedZones = new(StringComparer.Ordinal)
    {
        ["Europe/Zurich"] = ["LI"],
        ["Europe/Rome"] = ["SM", "VA"],
        ["Europe/Paris"] = ["MC"],
        ["Europe/London"] = ["GG", "JE", "IM"],
        ["Europe/Belgrade"] = ["XK", "ME"],
        ["Europe/Helsinki"] = ["AX"],
        ["Europe/Oslo"] = ["SJ"],
        ["Europe/Madrid"] = ["AD", "GI"],
        ["Asia/Jerusalem"] = ["PS"],
        ["America/Port_of_Spain"] = ["CW", "AW", "SX", "BQ"],
        ["America/Guadeloupe"] = ["BL", "MF"],
    };

    private static readonly JsonSerializerOptions TrailingCommas = new() { AllowTrailingCommas = true };

    /// <summary>A list of domains, one a line.</summary>
    public static IEnumerable<string> Lines(IEnumerable<string> files) =>
        files.SelectMany(File.ReadLines)
            .Select(line => line.IndexOf('#', StringComparison.Ordinal) is >= 0 and var comment ? line[..comment] : line)
            .Select(line => line.Trim().ToLowerInvariant())
            .Where(line => line.Length > 0);

    /// <summary>A JSON array of strings.</summary>
    public static string[] JsonArray(string file) =>
        JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(file)) ?? throw new FormatException($"{Path.GetFileName(file)}: not a list.");

    /// <summary>psl's rules: a JavaScript module that exports one array of strings.</summary>
    public static PublicSuffixes Suffixes(string file)
    {
        var text = File.ReadAllText(file);
        var (open, close) = (text.IndexOf('[', StringComparison.Ordinal), text.LastIndexOf(']'));
        if (open < 0 || close < open) throw new FormatException($"{Path.GetFileName(file)}: not a list of rules.");
        var rules = JsonSerializer.Deserialize<string[]>(text.AsSpan(open, close - open + 1), TrailingCommas) ?? [];
        return PublicSuffixes.Read(rules);
    }

    /// <summary>CLDR's zones (with all their old names) and languages of countries.</summary>
    public static Geography Geography(string zonesFile, string territoriesFile) => new(Zones(zonesFile), Languages(territoriesFile));

    /// <summary>Versions of the packages in a package-lock.json.</summary>
    public static IReadOnlyDictionary<string, string> Versions(string lockFile)
    {
        const string Folder = "node_modules/";
        using var json = JsonDocument.Parse(File.ReadAllBytes(lockFile));
        return json.RootElement.GetProperty("packages").EnumerateObject()
            .Where(package => package.Name.StartsWith(Folder, StringComparison.Ordinal))
            .ToFrozenDictionary(package => package.Name[Folder.Length..], package => package.Value.GetProperty("version").GetString() ?? "", StringComparer.Ordinal);
    }

    /// <summary>The day within a version such as "2.3.2026061719"; null in any other.</summary>
    public static DateTimeOffset? BuiltOf(string? version)
    {
        var part = version?[(version.LastIndexOf('.') + 1)..];
        return part is { Length: >= 8 }
            && DateTimeOffset.TryParseExact(part.AsSpan(0, 8), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day)
            ? day
            : null;
    }

    private static FrozenDictionary<string, string[]> Zones(string file)
    {
        var zones = new Dictionary<string, HashSet<string>>(StringComparer.OrdinalIgnoreCase);
        void Add(string zone, string country)
        {
            if (!zones.TryGetValue(zone, out var countries)) zones.Add(zone, countries = new HashSet<string>(StringComparer.Ordinal));
            countries.Add(country);
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var keys = json.RootElement.GetProperty("keyword").GetProperty("u").GetProperty("tz");
        foreach (var entry in keys.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Object || !entry.Value.TryGetProperty("_alias", out var aliases)) continue;
            // The key starts with the country (usnyc) unless it names a region or is no place at all (utc, gmt, unk).
            if (entry.Name is "gmt" or "unk" or "utc" || entry.Name.StartsWith("utce", StringComparison.Ordinal) || entry.Name.StartsWith("utcw", StringComparison.Ordinal)) continue;
            var country = entry.Value.TryGetProperty("_region", out var region) ? region.GetString() ?? "" : entry.Name[..2].ToUpperInvariant();
            foreach (var alias in (aliases.GetString() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)) Add(alias, country);
        }
        if (zones.Count == 0) throw new FormatException($"{Path.GetFileName(file)}: no zones.");
        foreach (var (zone, countries) in SharedZones)
        {
            foreach (var country in countries) Add(zone, country);
        }
        return zones.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.OrdinalIgnoreCase);
    }

    private static FrozenDictionary<string, FrozenSet<string>> Languages(string file)
    {
        var countries = new Dictionary<string, FrozenSet<string>>(StringComparer.OrdinalIgnoreCase);
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        foreach (var territory in json.RootElement.GetProperty("supplemental").GetProperty("territoryInfo").EnumerateObject())
        {
            if (!territory.Value.TryGetProperty("languagePopulation", out var languages)) continue;
            // English is what many machines everywhere are set to; a small share of speakers is enough for it.
            countries.Add(
                territory.Name,
                languages.EnumerateObject()
                    .Where(language => language.Name.Split('_')[0] == "en" || language.Value.TryGetProperty("_officialStatus", out _) || Percent(language.Value) >= SpokenMin)
                    .Select(language => language.Name.Split('_')[0])
                    .ToFrozenSet(StringComparer.Ordinal));
        }
        if (countries.Count == 0) throw new FormatException($"{Path.GetFileName(file)}: no countries.");
        return countries.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    private static double Percent(JsonElement language) =>
        language.TryGetProperty("_populationPercent", out var percent) && double.TryParse(percent.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
