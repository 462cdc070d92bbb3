using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace SignupGuard.Service.ReferenceData;

/// <summary>What kind of network an autonomous system is, by its number or its organisation's name: the data of <c>networks.yaml</c>.</summary>
public sealed class NetworkClasses
{
    public const string Residential = "residential";
    public const string Carrier = "carrier";
    public const string Business = "business";
    public const string Education = "education";
    public const string Hosting = "hosting";
    public const string Vpn = "vpn";
    public const string Proxy = "proxy";
    public const string Tor = "tor";
    public const string Relay = "relay";

    /// <summary>Longer organisation names are cut: what tells the class stands at the front.</summary>
    private const int NameMax = 256;

    /// <summary>All classes, in the order in which names are tried.</summary>
    private static readonly string[] Order = [Tor, Vpn, Relay, Proxy, Education, Hosting, Carrier, Business, Residential];

    private readonly FrozenDictionary<long, string> _byNumber;
    private readonly (string Class, SearchValues<string> Names)[] _byName;

    private NetworkClasses(Dictionary<long, string> byNumber, Dictionary<string, HashSet<string>> names)
    {
        _byNumber = byNumber.ToFrozenDictionary();
        _byName = [.. Order.Where(names.ContainsKey).Select(kind => (kind, SearchValues.Create([.. names[kind]], StringComparison.Ordinal)))];
    }

    /// <summary>The shipped list alone.</summary>
    public static NetworkClasses Default { get; } = Read([("networks.yaml", Shipped())]);

    public int Count => _byNumber.Count;

    /// <summary>Reads the shipped list and then the operators', which win.</summary>
    /// <exception cref="FormatException">A file that is not of the form, an unknown class, or a number twice in one file; names the file.</exception>
    public static NetworkClasses Read(IEnumerable<(string Name, string Yaml)> files)
    {
        var byNumber = new Dictionary<long, string>();
        var names = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var (name, yaml) in files)
        {
            var inFile = new HashSet<long>();
            foreach (var (kind, entry) in Parse(name, yaml))
            {
                if (!Order.Contains(kind)) throw new FormatException($"{name}: '{kind}' is no network class; there are {string.Join(", ", Order)}.");
                foreach (var number in entry.Asns)
                {
                    if (!inFile.Add(number)) throw new FormatException($"{name}: AS {number} is listed twice.");
                    byNumber[number] = kind;
                }
                if (entry.Names.Count == 0) continue;
                if (!names.TryGetValue(kind, out var patterns)) names.Add(kind, patterns = new HashSet<string>(StringComparer.Ordinal));
                patterns.UnionWith(entry.Names);
            }
        }
        return new NetworkClasses(byNumber, names);
    }

    /// <summary>The list that ships with this assembly.</summary>
    public static string Shipped()
    {
        using var stream = typeof(NetworkClasses).Assembly.GetManifestResourceStream("networks.yaml")
            ?? throw new InvalidOperationException("networks.yaml is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The class of an autonomous system; null when neither its number nor its name tells.</summary>
    public string? Of(long? number, string? organisation) =>
        number is { } known && _byNumber.TryGetValue(known, out var kind) ? kind : organisation is null ? null : OfName(organisation);

    private string? OfName(string organisation)
    {
        Span<char> words = stackalloc char[NameMax + 2];
        var length = 0;
        words[length++] = ' ';
        foreach (var character in organisation.AsSpan(0, Math.Min(organisation.Length, NameMax)))
        {
            if (char.IsLetterOrDigit(character)) words[length++] = char.ToLowerInvariant(character);
            else if (words[length - 1] != ' ') words[length++] = ' ';
        }
        if (words[length - 1] != ' ') words[length++] = ' ';
        ReadOnlySpan<char> name = words[..length];
        foreach (var (kind, patterns) in _byName)
        {
            if (name.ContainsAny(patterns)) return kind;
        }
        return null;
    }

    private static Dictionary<string, Entry> Parse(string name, string yaml)
    {
        try
        {
            return new DeserializerBuilder().WithNamingConvention(YamlDotNet.Serialization.NamingConventions.CamelCaseNamingConvention.Instance)
                .Build().Deserialize<Dictionary<string, Entry>?>(yaml) ?? [];
        }
        catch (YamlException e)
        {
            throw new FormatException($"{name}: {e.Message}", e);
        }
    }

    [SuppressMessage("Performance", "CA1812", Justification = "Made by the YAML reader.")]
    private sealed class Entry
    {
        public List<long> Asns { get; set; } = [];

        public List<string> Names { get; set; } = [];
    }
}
