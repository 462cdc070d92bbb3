using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.V1;

namespace SignupGuard.Simulation.World;

/// <summary>A school whose students sign up from the campus network.</summary>
internal sealed record University(Country Country, string Name, string Domain, IReadOnlyList<Connection> Exits, IReadOnlyList<Machine> Images)
{
    public int DomainAgeDays { get; } = 6_000 + (int)(RandomSource.Hash(Domain) % 4_000);
}

/// <summary>
/// What all actors of a run share: the addresses behind which many people sit, the lines that proxies abuse, the universities.
/// </summary>
internal sealed class Surroundings
{
    /// <summary>Latest lines of customers per country that a proxy network may reach through.</summary>
    private const int RecentMax = 256;

    /// <summary>Latest courses whose university an attacker may have heard of.</summary>
    private const int BusyMax = 24;

    /// <summary>Share of new customers whose line is also some proxy network's exit (a free app that sells its users' bandwidth).</summary>
    private const double CustomersOnProxyLines = 0.006;

    /// <summary>Public addresses one carrier network puts its mobile customers behind, contiguous.</summary>
    private const int CarrierAddresses = 24;

    private readonly Ring<University> _busy = new(BusyMax);
    private readonly Dictionary<string, Ring<Connection>> _customers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Ring<Connection>> _proxies = new(StringComparer.Ordinal);

    public Surroundings(ulong seed, int year, long startMs, long endMs, int benign)
    {
        Seed = seed;
        Year = year;
        StartMs = startMs;
        EndMs = endMs;
        People = new PeopleMaker(year);
        Leisure = new Activity(seed, startMs, endMs, work: false);
        Work = new Activity(seed, startMs, endMs, work: true);
        foreach (var country in Countries.All)
        {
            _customers[country.Code] = new Ring<Connection>(RecentMax);
            _proxies[country.Code] = new Ring<Connection>(RecentMax);
        }
        var random = RandomSource.For(seed, "universities");
        var countries = new Weighted<Country>(Countries.All.Select(country => (country, country.Weight)));
        Universities = [.. Enumerable.Range(0, 24 + benign / 6000).Select(index => MakeUniversity(random, countries.Pick(random), index))];
    }

    public ulong Seed { get; }

    public int Year { get; }

    public long StartMs { get; }

    public long EndMs { get; }

    public PeopleMaker People { get; }

    public Activity Leisure { get; }

    public Activity Work { get; }

    public IReadOnlyList<University> Universities { get; }

    /// <summary>A course of the university signs up.</summary>
    public void NoteCourse(University university) => _busy.Add(university);

    /// <summary>A university whose students signed up lately; any while there are none.</summary>
    public University BusyUniversity(RandomSource random) => _busy.Pick(random) ?? random.Pick(Universities);

    /// <summary>A home line. Now and then one that a proxy network uses too.</summary>
    public Connection HomeLine(RandomSource random, Country country)
    {
        if (random.Chance(CustomersOnProxyLines) && _proxies[country.Code].Pick(random) is { } shared) return shared;
        var ipv6 = random.Chance(country.Ipv6Fixed);
        var network = NetworkPool.Pick(random, country.Code, PoolClass.Residential, ipv6);
        return Remember(country, Connect(network, Address(random, network)));
    }

    /// <summary>Another address of the same line: IPv6 keeps its /64, IPv4 its address.</summary>
    public static Connection SameLine(RandomSource random, Connection line)
    {
        if (!line.Network.Ipv6) return line;
        var address = System.Net.IPAddress.Parse(line.Ip);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], random.Next());
        return line with { Ip = new System.Net.IPAddress(bytes).ToString() };
    }

    /// <summary>A mobile connection: its own IPv6 /64, or a public address shared by a crowd.</summary>
    public Connection Mobile(RandomSource random, Country country)
    {
        if (random.Chance(country.Ipv6Mobile))
        {
            var network = NetworkPool.Pick(random, country.Code, PoolClass.Carrier, ipv6: true);
            return Connect(network, Address(random, network));
        }
        return Remember(country, CarrierAddress(random, NetworkPool.Pick(random, country.Code, PoolClass.Carrier)));
    }

    /// <summary>One of the public addresses a carrier puts its customers behind.</summary>
    public static Connection CarrierAddress(RandomSource random, PoolNetwork network)
    {
        var first = (uint)RandomSource.Mix(network.Asn * 977UL + network.Salt);
        return Connect(network, network.Ipv4(first + (uint)random.Rank(CarrierAddresses, 8)));
    }

    public static Connection Office(RandomSource random, Country country)
    {
        var network = NetworkPool.Pick(random, country.Code, random.Chance(0.8) ? PoolClass.Business : PoolClass.Residential);
        return Connect(network, network.Ipv4((uint)random.Next()));
    }

    /// <summary>A VPN exit: a few servers per network carry most customers.</summary>
    public static Connection Vpn(RandomSource random) => Vpn(random, NetworkPool.Pick(random, PoolClass.Vpn));

    public static Connection Vpn(RandomSource random, PoolNetwork network)
    {
        var first = (uint)RandomSource.Mix(network.Salt);
        return Connect(network, network.Ipv4(first + (uint)random.Rank(48, 12)));
    }

    public static Connection Relay(RandomSource random)
    {
        var ipv6 = random.Chance(0.4);
        var network = NetworkPool.Pick(random, PoolClass.Relay, ipv6);
        return Connect(network, ipv6 ? network.Ipv6Address((ulong)random.Rank(4000, 400) * 977, random.Next()) : network.Ipv4((uint)random.Rank(600, 120)));
    }

    public static Connection Gateway(RandomSource random)
    {
        var network = NetworkPool.Pick(random, PoolClass.Gateway);
        return Connect(network, network.Ipv4((uint)random.Rank(200, 30)));
    }

    public static Connection Server(RandomSource random, PoolNetwork? network = null)
    {
        network ??= NetworkPool.Pick(random, PoolClass.Hosting);
        return Connect(network, network.Ipv4((uint)random.Next()));
    }

    /// <summary>A residential proxy's exit in a country: a stranger's line, sometimes one of our own customers'.</summary>
    /// <param name="customerShare">Chance that it is the line of a recent real customer.</param>
    /// <param name="knownShare">Chance that the edge's provider knows the line as a proxy's.</param>
    public Connection ProxyExit(RandomSource random, Country country, double customerShare, double knownShare)
    {
        if (random.Chance(customerShare) && _customers[country.Code].Pick(random) is { } line) return line;
        var mobile = random.Chance(0.25);
        Connection exit;
        if (mobile)
        {
            exit = CarrierAddress(random, NetworkPool.Pick(random, country.Code, PoolClass.Carrier));
        }
        else
        {
            var network = NetworkPool.Pick(random, country.Code, PoolClass.Residential, ipv6: random.Chance(country.Ipv6Fixed * 0.7));
            exit = Connect(network, Address(random, network));
            if (random.Chance(knownShare))
                exit = exit with { SeenClass = NetworkClass.Proxy, SeenAnonymiser = true, SeenProxyConfidence = Round(random.Between(0.75, 0.99)) };
            else if (exit.SeenProxyConfidence is not null && random.Chance(0.3))
                exit = exit with { SeenProxyConfidence = Round(random.Between(0.2, 0.7)) };
        }
        _proxies[country.Code].Add(exit);
        return exit;
    }

    /// <summary>What the edge makes of an address; the same for everyone behind it.</summary>
    public static Connection Connect(PoolNetwork network, string ip)
    {
        var stable = new RandomSource(RandomSource.Hash(ip.AsSpan(0, network.Ipv6 ? ip.LastIndexOf(':') : ip.Length)));
        var roll = stable.Unit();
        // The usual answer, how often it is given, and what is said instead.
        var (usual, share, otherwise) = network.Class switch
        {
            PoolClass.Residential => (NetworkClass.Residential, 0.94, roll < 0.97 ? NetworkClass.Business : roll < 0.996 ? NetworkClass.Carrier : NetworkClass.Proxy),
            PoolClass.Carrier => (NetworkClass.Carrier, 0.86, roll < 0.996 ? NetworkClass.Residential : NetworkClass.Proxy),
            PoolClass.Business => (NetworkClass.Business, 0.78, roll < 0.97 ? NetworkClass.Residential : NetworkClass.Hosting),
            PoolClass.Education => (NetworkClass.Education, 0.93, NetworkClass.Business),
            PoolClass.Vpn => (NetworkClass.Vpn, 0.84, NetworkClass.Hosting),
            PoolClass.Relay => (NetworkClass.Relay, 0.92, NetworkClass.Hosting),
            PoolClass.Gateway => (NetworkClass.Business, 0.5, NetworkClass.Hosting),
            _ => (NetworkClass.Hosting, 0.97, NetworkClass.Business),
        };
        var seen = roll < share ? usual : otherwise;
        var anonymiser = seen is NetworkClass.Vpn or NetworkClass.Relay or NetworkClass.Proxy || (network.Class == PoolClass.Hosting && stable.Chance(0.08));
        var confidence = seen == NetworkClass.Proxy ? stable.Between(0.75, 0.97) : PortableMath.Pow(stable.Unit(), 4) * 0.5;
        return new Connection
        {
            Ip = ip,
            Network = network,
            SeenClass = seen,
            SeenAnonymiser = stable.Chance(0.15) ? null : anonymiser,
            SeenProxyConfidence = stable.Chance(0.35) ? null : Round(confidence),
        };
    }

    private static double Round(double confidence) => Math.Round(confidence, 2);

    private static string Address(RandomSource random, PoolNetwork network) =>
        network.Ipv6 ? network.Ipv6Address(random.Next(), random.Next()) : network.Ipv4((uint)random.Next());

    private Connection Remember(Country country, Connection line)
    {
        _customers[country.Code].Add(line);
        return line;
    }

    private University MakeUniversity(RandomSource random, Country country, int index)
    {
        var networks = NetworkPool.Of(country.Code, PoolClass.Education);
        var network = networks.Count > 0 ? networks[index % networks.Count] : NetworkPool.Pick(random, country.Code, PoolClass.Business);
        var place = Names.Family(random, country.Culture);
        var stem = place.Plain;
        while (!People.Take($"{stem}.{country.AcademicDomain}")) stem += "u";
        var first = (uint)random.Next();
        return new University(
            country,
            $"{place.Written} University",
            $"{stem}.{country.AcademicDomain}",
            [.. Enumerable.Range(0, random.Between(1, 4)).Select(offset => Connect(network, network.Ipv4(first + (uint)offset)))],
            [MachineMaker.Image(random, country), MachineMaker.Image(random, country)]);
    }

    private sealed class Ring<T>(int max)
        where T : class
    {
        private readonly List<T> _items = new(max);
        private int _next;

        public void Add(T item)
        {
            if (_items.Count < max)
            {
                _items.Add(item);
                return;
            }
            _items[_next] = item;
            _next = (_next + 1) % max;
        }

        public T? Pick(RandomSource random) => _items.Count == 0 ? null : _items[random.Below(_items.Count)];
    }
}
