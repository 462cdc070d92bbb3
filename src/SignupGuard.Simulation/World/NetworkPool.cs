using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SignupGuard.Simulation.Randomness;
using SignupGuard.V1;

namespace SignupGuard.Simulation.World;

/// <summary>What a network is in the story. <c>networks.csv</c> uses the lower-case names.</summary>
internal enum PoolClass : byte
{
    Residential,
    Carrier,
    Business,
    Education,
    Hosting,
    Vpn,
    Relay,

    /// <summary>A cloud security gateway that companies send their traffic through: hosting by its looks, ordinary people behind it.</summary>
    Gateway,
}

/// <summary>One real allocation: prefix, country and autonomous system as public IP data has them.</summary>
internal sealed record PoolNetwork(IPNetwork Prefix, string Country, PoolClass Class, uint Asn, string Organisation)
{
    /// <summary>The same number for the same prefix in every run.</summary>
    public ulong Salt { get; } = RandomSource.Hash(Prefix.ToString());

    public bool Ipv6 => Prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>The IPv4 address at an offset into the prefix, its network and broadcast address avoided.</summary>
    public string Ipv4(uint offset)
    {
        var size = 1u << (32 - Prefix.PrefixLength);
        Span<byte> bytes = stackalloc byte[4];
        Prefix.BaseAddress.TryWriteBytes(bytes, out _);
        var value = (uint)(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]) + offset % size;
        // Last octets 0 and 255 are rarely handed out.
        var last = value & 255;
        if (last is 0 or 255) value ^= 0x55;
        return string.Create(CultureInfo.InvariantCulture, $"{value >> 24}.{(value >> 16) & 255}.{(value >> 8) & 255}.{value & 255}");
    }

    /// <summary>An IPv6 address: the /64 chosen by <paramref name="subnet"/>, the interface by <paramref name="host"/>.</summary>
    public string Ipv6Address(ulong subnet, ulong host)
    {
        Span<byte> bytes = stackalloc byte[16];
        Prefix.BaseAddress.TryWriteBytes(bytes, out _);
        var upper = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var free = 64 - Prefix.PrefixLength;
        if (free > 0) upper |= subnet & ((1UL << free) - 1);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, upper);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], host);
        return new IPAddress(bytes).ToString();
    }
}

/// <summary>Where addresses are drawn from: a curated table of large allocations, so that the product's IP data agrees with the story.</summary>
internal static class NetworkPool
{
    private static readonly Dictionary<(string Country, PoolClass Class, bool Ipv6), Weighted<PoolNetwork>> ByKind;
    private static readonly Dictionary<(PoolClass Class, bool Ipv6), Weighted<PoolNetwork>> ByClass;

    public static IReadOnlyList<PoolNetwork> All { get; } = Read();

    static NetworkPool()
    {
        ByKind = All.GroupBy(network => (network.Country, network.Class, network.Ipv6)).ToDictionary(group => group.Key, Weigh);
        ByClass = All.GroupBy(network => (network.Class, network.Ipv6)).ToDictionary(group => group.Key, Weigh);
    }

    public static bool Has(string country, PoolClass kind, bool ipv6) => ByKind.ContainsKey((country, kind, ipv6));

    /// <summary>A network of a class in a country. Education and business fall back to the country's residential lines where none are known.</summary>
    public static PoolNetwork Pick(RandomSource random, string country, PoolClass kind, bool ipv6 = false) =>
        ByKind.TryGetValue((country, kind, ipv6), out var networks) ? networks.Pick(random)
        : ipv6 ? Pick(random, country, kind)
        : ByKind[(country, PoolClass.Residential, false)].Pick(random);

    /// <summary>A network of a class wherever it is registered: hosting, VPN and relay networks are counted to their owner's country.</summary>
    public static PoolNetwork Pick(RandomSource random, PoolClass kind, bool ipv6 = false) => ByClass[(kind, ipv6)].Pick(random);

    public static IReadOnlyList<PoolNetwork> Of(PoolClass kind) => ByClass[(kind, false)].Items;

    public static IReadOnlyList<PoolNetwork> Of(string country, PoolClass kind) =>
        ByKind.TryGetValue((country, kind, false), out var networks) ? networks.Items : [];

    private static Weighted<PoolNetwork> Weigh(IEnumerable<PoolNetwork> networks) =>
        // By the square root of the size: providers do not fill their largest blocks in proportion.
        new(networks.Select(network => (network, Math.Sqrt(1L << Math.Min(40, (network.Ipv6 ? 64 : 32) - network.Prefix.PrefixLength)))));

    private static List<PoolNetwork> Read()
    {
        var networks = new List<PoolNetwork>();
        foreach (var line in Resource.Lines("networks.csv").Skip(1))
        {
            var fields = line.Split(',', 5);
            networks.Add(new PoolNetwork(
                IPNetwork.Parse(fields[0]),
                fields[1],
                Enum.Parse<PoolClass>(fields[2], ignoreCase: true),
                uint.Parse(fields[3], CultureInfo.InvariantCulture),
                fields[4]));
        }
        return networks;
    }
}

/// <summary>How one customer or attacker reaches us: an address, what it is, and what the edge makes of it.</summary>
internal sealed record Connection
{
    public required string Ip { get; init; }

    public required PoolNetwork Network { get; init; }

    public required NetworkClass SeenClass { get; init; }

    /// <summary>Null where the edge has no opinion.</summary>
    public bool? SeenAnonymiser { get; init; }

    /// <summary>Null where the edge has no opinion.</summary>
    public double? SeenProxyConfidence { get; init; }

    public string Country => Network.Country;
}
