using System.Net;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;
using SignupGuard.Service.Screening.Collectors;

namespace SignupGuard.IntegrationTests.Signals;

/// <summary>Databases and lists that operators supply: read, preferred, reloaded, refused when broken.</summary>
public sealed class OperatorDataTests
{
    private const string Client = "73.162.10.20";

    private static readonly DateTimeOffset Built = SignalFixture.Now.AddDays(-7);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("signals-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_city_database_gives_place_and_zone_and_outranks_the_restored_country()
    {
        City("CA", "America/Toronto").Save(_folder, "city.mmdb");
        var ip = Collect(Client);
        Assert.That((ip.State, ip.Value!.Country, ip.Value.Region, ip.Value.City, ip.Value.TimeZone), Is.EqualTo((SignalState.Present, "CA", "ON", "Toronto", "America/Toronto")));
        // What it does not hold comes from the restored data.
        Assert.That((ip.Value.Asn, ip.Value.NetworkClass), Is.EqualTo(((long?)7922, "residential")));
    }

    [Test]
    public void Country_and_asn_databases_of_maxmind_are_read()
    {
        new MmdbWriter("GeoLite2-Country", 6, Built).Add("73.0.0.0/8", Country("MX")).Add("2a02::/16", Country("NO")).Save(_folder, "a.mmdb");
        new MmdbWriter("GeoLite2-ASN", 6, Built).Add("73.0.0.0/8", new() { ["autonomous_system_number"] = 24940, ["autonomous_system_organization"] = "Hetzner Online GmbH" }).Save(_folder, "b.mmdb");
        var ip = Collect(Client).Value!;
        Assert.That((ip.Country, ip.Asn, ip.AsnOrganisation, ip.NetworkClass, ip.Hosting), Is.EqualTo(("MX", (long?)24940, "Hetzner Online GmbH", "hosting", (bool?)true)));
        Assert.That(Collect("2a02:810a::1").Value!.Country, Is.EqualTo("NO"));
    }

    [TestCase("is_anonymous_vpn", "vpn")]
    [TestCase("is_public_proxy", "proxy")]
    [TestCase("is_residential_proxy", "proxy")]
    [TestCase("is_tor_exit_node", "tor")]
    [TestCase("is_hosting_provider", "hosting")]
    public void An_anonymous_ip_database_classes_the_address_itself(string flag, string kind)
    {
        new MmdbWriter("GeoIP2-Anonymous-IP", 6, Built).Add("73.162.0.0/16", new() { ["is_anonymous"] = true, [flag] = true }).Save(_folder, "anonymous.mmdb");
        var listed = Collect(Client).Value!;
        Assert.That((listed.NetworkClass, listed.Anonymiser), Is.EqualTo((kind, (bool?)(kind != "hosting"))));

        var other = Collect("73.1.2.3").Value!;
        Assert.That((other.NetworkClass, other.Vpn, other.Tor, other.Proxy, other.Anonymiser), Is.EqualTo(("residential", (bool?)false, (bool?)false, (bool?)false, (bool?)false)));
    }

    [Test]
    public void Without_a_source_for_anonymisers_they_are_unknown_and_not_absent()
    {
        var ip = Collect(Client).Value!;
        Assert.That((ip.Vpn, ip.Tor, ip.Proxy, ip.Anonymiser), Is.EqualTo(((bool?)null, (bool?)null, (bool?)null, (bool?)null)));
    }

    [TestCase("Cellular", "carrier")]
    [TestCase("Corporate", "business")]
    [TestCase("Cable/DSL", "residential")]
    public void A_connection_type_database_tells_carriers_and_companies(string connection, string kind)
    {
        new MmdbWriter("GeoIP2-Connection-Type", 6, Built).Add("73.162.0.0/16", new() { ["connection_type"] = connection }).Save(_folder, "connection.mmdb");
        Assert.That(Collect(Client).Value!.NetworkClass, Is.EqualTo(kind));
    }

    [TestCase("college", "education")]
    [TestCase("cellular", "carrier")]
    [TestCase("hosting", "hosting")]
    [TestCase("business", "business")]
    [TestCase("consumer_privacy_network", "relay")]
    public void An_enterprise_database_tells_the_kind_of_user(string userType, string kind)
    {
        var record = Country("US");
        record["traits"] = new Dictionary<string, object> { ["user_type"] = userType, ["autonomous_system_number"] = 7922, ["autonomous_system_organization"] = "Comcast" };
        new MmdbWriter("GeoIP2-Enterprise", 6, Built).Add("73.162.0.0/16", record).Save(_folder, "enterprise.mmdb");
        var ip = Collect(Client).Value!;
        Assert.That((ip.NetworkClass, ip.Asn, ip.AsnOrganisation), Is.EqualTo((kind, (long?)7922, "Comcast")));
    }

    [Test]
    public void Lists_of_addresses_networks_and_ranges_are_read_in_both_families()
    {
        Lines("tor.txt", "# exits", "73.162.10.20", "2a02:810a::/32 # a network", "");
        Lines("vpn-example.txt", "73.1.0.0 - 73.1.255.255", "10.0.0.0/8");
        var collection = Collection();
        Assert.That(Ip(collection, Client).NetworkClass, Is.EqualTo("tor"));
        Assert.That(Ip(collection, "::ffff:73.162.10.20").Tor, Is.True);
        Assert.That(Ip(collection, "2a02:810a::1").Tor, Is.True);
        Assert.That((Ip(collection, "73.1.255.255").NetworkClass, Ip(collection, "73.1.255.255").Anonymiser), Is.EqualTo(("vpn", (bool?)true)));
        Assert.That((Ip(collection, "73.2.0.0").Vpn, Ip(collection, "73.2.0.0").Tor, Ip(collection, "73.2.0.0").Proxy), Is.EqualTo(((bool?)false, (bool?)false, (bool?)null)));
    }

    [Test]
    public void Operators_class_networks_add_disposable_domains_and_make_exceptions()
    {
        Lines("networks-ours.yaml", "business:", "  asns: [7922]");
        Lines("disposable-ours.txt", "throwaway-of-ours.example");
        Lines("not-disposable.txt", "mailinator.com");
        Lines("relay.txt", "relay-of-ours.example");
        var collection = Collection();
        Assert.That(Ip(collection, Client).NetworkClass, Is.EqualTo("business"));
        EmailSignals Email(string address) => collection.Collect(SignalFixture.Signup() with { Email = new EmailInput(address, null) }).Email.Value!;
        Assert.That(Email("a@throwaway-of-ours.example").Disposable, Is.True);
        Assert.That(Email("a@mailinator.com").Disposable, Is.False);
        Assert.That(Email("a@yopmail.com").Disposable, Is.True);
        Assert.That((Email("a@x.relay-of-ours.example").Relay, Email("a@x.relay-of-ours.example").Disposable), Is.EqualTo(((bool?)true, (bool?)false)));
    }

    [Test]
    public void A_changed_file_is_in_force_after_the_next_look_and_an_unchanged_one_is_not_read_again()
    {
        City("CA", "America/Toronto").Save(_folder, "city.mmdb");
        var store = Store();
        var collection = SignalFixture.Collection(store);
        Assert.That(Ip(collection, Client).Country, Is.EqualTo("CA"));
        var before = store.Current;
        Assert.That(store.ReloadIfChanged(), Is.False);
        Assert.That(store.Current, Is.SameAs(before));

        City("BR", "America/Sao_Paulo").Save(_folder, "city.mmdb");
        Assert.That(Ip(collection, Client).Country, Is.EqualTo("CA"));
        Assert.That(store.ReloadIfChanged());
        Assert.That(Ip(collection, Client).Country, Is.EqualTo("BR"));

        // A request that began before the change ends on what it began with.
        Assert.That(IpCollector.Lookup(IPAddress.Parse(Client), before).Country, Is.EqualTo("CA"));
    }

    [Test]
    public void A_broken_new_file_keeps_the_old_data_and_is_reported()
    {
        var path = City("CA", "America/Toronto").Save(_folder, "city.mmdb");
        Lines("vpn.txt", "73.162.0.0/16");
        var log = new RecordingLogger<ReferenceDataStore>();
        var store = Store(log);
        var collection = SignalFixture.Collection(store);

        var whole = City("BR", "America/Sao_Paulo").ToArray();
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        Lines("vpn.txt", "73.162.0.0/16", "73.162.0.0/99");
        Assert.That(store.ReloadIfChanged(), Is.False);

        Assert.That((Ip(collection, Client).Country, Ip(collection, Client).Vpn), Is.EqualTo(("CA", (bool?)true)));
        Assert.That(log.Errors, Has.Some.Contains("city.mmdb"));
        Assert.That(log.Errors, Has.Some.Contains("vpn.txt, line 2"));
        var kept = store.Status.Parts.Where(part => part.State == ReferencePartState.KeptPrevious).Select(part => part.Name);
        Assert.That(kept, Is.EquivalentTo(new[] { "city.mmdb", "vpn addresses" }));

        City("BR", "America/Sao_Paulo").Save(_folder, "city.mmdb");
        Assert.That(store.ReloadIfChanged());
        Assert.That(Ip(collection, Client).Country, Is.EqualTo("BR"));
    }

    [Test]
    public void A_file_that_goes_away_keeps_its_data_until_the_service_starts_again()
    {
        var path = City("CA", "America/Toronto").Save(_folder, "city.mmdb");
        var store = Store();
        var collection = SignalFixture.Collection(store);
        File.Delete(path);
        Assert.That(store.ReloadIfChanged(), Is.False);
        Assert.That(Ip(collection, Client).Country, Is.EqualTo("CA"));
        Assert.That(Ip(Collection(), Client).Country, Is.EqualTo("US"));
    }

    [Test]
    public void A_folder_that_is_configured_and_not_there_is_reported_and_stops_nothing()
    {
        var log = new RecordingLogger<ReferenceDataStore>();
        var nowhere = Path.Combine(_folder, "nowhere");
        var store = SignalFixture.Store(
            new SignalOptions
            {
                GeoIpFolder = nowhere,
                ListsFolder = nowhere,
            },
            log);
        Assert.That(store.Status.Missing, Is.EquivalentTo(new[] { "operators' databases", "operators' lists" }));
        Assert.That(log.Errors, Has.Some.Contains(nowhere));
        Assert.That(Ip(SignalFixture.Collection(store), Client).Country, Is.EqualTo("US"));

        Directory.CreateDirectory(nowhere);
        City("CA", "America/Toronto").Save(nowhere, "city.mmdb");
        Assert.That(store.ReloadIfChanged());
        Assert.That(Ip(SignalFixture.Collection(store), Client).Country, Is.EqualTo("CA"));
        Assert.That(store.Status.Missing, Is.Empty);
    }

    [Test]
    public void A_database_of_a_kind_not_used_is_refused_by_name()
    {
        new MmdbWriter("GeoIP2-Domain", 6, Built).Add("73.0.0.0/8", new() { ["domain"] = "example.com" }).Save(_folder, "domain.mmdb");
        var part = Store().Status.Parts.Single(part => part.Name == "domain.mmdb");
        Assert.That((part.State, part.Problem), Is.EqualTo((ReferencePartState.Broken, "domain.mmdb is a 'GeoIP2-Domain' database, which is not used here.")));
    }

    [Test]
    public async Task Files_swapped_under_load_fail_no_request()
    {
        City("CA", "America/Toronto").Save(_folder, "city.mmdb");
        var store = Store();
        var collection = SignalFixture.Collection(store);
        using var stop = new CancellationTokenSource();
        var seen = new HashSet<string?>();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var countries = new HashSet<string?>();
            var failed = 0;
            while (!stop.IsCancellationRequested)
            {
                var ip = collection.Collect(SignalFixture.From(Client)).Ip;
                if (ip.State != SignalState.Present) failed++;
                countries.Add(ip.Value?.Country);
            }
            return (countries, failed);
        })).ToArray();
        for (var i = 0; i < 30; i++)
        {
            City(i % 2 == 0 ? "BR" : "CA", "America/Toronto").Save(_folder, "city.mmdb");
            store.ReloadIfChanged();
            // Old readers are let go; collecting them now is what would break a request that still holds one.
            if (i % 10 == 0) GC.Collect();
            await Task.Yield();
        }
        await stop.CancelAsync();
        foreach (var (countries, failed) in await Task.WhenAll(readers))
        {
            Assert.That(failed, Is.Zero);
            seen.UnionWith(countries);
        }
        Assert.That(seen, Is.SubsetOf(new[] { "CA", "BR" }));
    }

    private static MmdbWriter City(string country, string zone)
    {
        var record = Country(country);
        record["city"] = new Dictionary<string, object> { ["names"] = new Dictionary<string, object> { ["en"] = "Toronto" } };
        record["location"] = new Dictionary<string, object> { ["time_zone"] = zone, ["latitude"] = 43.7, ["longitude"] = 79.4 };
        record["subdivisions"] = new object[] { new Dictionary<string, object> { ["iso_code"] = "ON" } };
        return new MmdbWriter("GeoIP2-City", 6, Built).Add("73.0.0.0/8", record);
    }

    private static Dictionary<string, object> Country(string code) => new()
    {
        ["country"] = new Dictionary<string, object> { ["iso_code"] = code, ["geoname_id"] = 1 },
    };

    private void Lines(string name, params string[] lines) => File.WriteAllLines(Path.Combine(_folder, name), lines);

    private ReferenceDataStore Store(ILogger<ReferenceDataStore>? log = null) => SignalFixture.Store(new SignalOptions { GeoIpFolder = _folder, ListsFolder = _folder }, log);

    private SignalCollection Collection() => SignalFixture.Collection(Store());

    private Signal<IpSignals> Collect(string ip) => Collection().Collect(SignalFixture.From(ip)).Ip;

    private static IpSignals Ip(SignalCollection collection, string ip) => collection.Collect(SignalFixture.From(ip)).Ip.Value!;
}

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, string Text)> _entries = [];

    public IReadOnlyList<string> Errors => Of(LogLevel.Error);

    public IReadOnlyList<string> Of(LogLevel level)
    {
        lock (_lock) return [.. _entries.Where(entry => entry.Level == level).Select(entry => entry.Text)];
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock) _entries.Add((logLevel, formatter(state, exception) + exception));
    }
}
