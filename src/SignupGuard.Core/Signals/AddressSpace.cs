using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;

namespace SignupGuard.Core.Signals;

/// <summary>
/// What an address is by its place in the address space: the ranges of IANA's special-purpose registries, and the networks that stand
/// for a line or a site. Pure.
/// </summary>
public static class AddressSpace
{
    private static readonly Range4[] Special4 =
    [
        .. Ranges4("0.0.0.0/8", "UNSPECIFIED_ADDRESS"),
        .. Ranges4("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16", "PRIVATE_ADDRESS"),
        .. Ranges4("100.64.0.0/10", "SHARED_ADDRESS"),
        .. Ranges4("127.0.0.0/8", "LOOPBACK_ADDRESS"),
        .. Ranges4("169.254.0.0/16", "LINK_LOCAL_ADDRESS"),
        .. Ranges4("192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.175.48.0/24", "SPECIAL_PURPOSE_ADDRESS"),
        .. Ranges4("192.0.2.0/24 198.51.100.0/24 203.0.113.0/24", "DOCUMENTATION_ADDRESS"),
        .. Ranges4("192.88.99.0/24", "TRANSITION_ADDRESS"),
        .. Ranges4("198.18.0.0/15", "BENCHMARKING_ADDRESS"),
        .. Ranges4("224.0.0.0/4", "MULTICAST_ADDRESS"),
        .. Ranges4("240.0.0.0/4", "RESERVED_ADDRESS"),
    ];

    // Inside global unicast, 2000::/3; most of what is outside is reserved.
    private static readonly Range6[] Special6 =
    [
        .. Ranges6("2001:db8::/32 3fff::/20", "DOCUMENTATION_ADDRESS"),
        .. Ranges6("2001::/32 2002::/16", "TRANSITION_ADDRESS"),
        .. Ranges6("2001:2::/48", "BENCHMARKING_ADDRESS"),
        .. Ranges6("2001::/23 2620:4f:8000::/48", "SPECIAL_PURPOSE_ADDRESS"),
        .. Ranges6("::/128", "UNSPECIFIED_ADDRESS"),
        .. Ranges6("::1/128", "LOOPBACK_ADDRESS"),
        .. Ranges6("64:ff9b:1::/48 fc00::/7 fec0::/10", "PRIVATE_ADDRESS"),
        .. Ranges6("fe80::/10", "LINK_LOCAL_ADDRESS"),
        .. Ranges6("100::/64 100:0:0:1::/64 5f00::/16", "SPECIAL_PURPOSE_ADDRESS"),
        .. Ranges6("ff00::/8", "MULTICAST_ADDRESS"),
    ];

    private static readonly UInt128 MappedPrefix = (UInt128)0xFFFF << 32;

    private static readonly UInt128 Nat64Prefix = (UInt128)0x0064FF9B << 96;

    /// <summary>All codes that <see cref="SpecialPurpose"/> can give.</summary>
    public static FrozenSet<string> Codes { get; } =
        Special4.Select(range => range.Code).Concat(Special6.Select(range => range.Code)).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The IPv4 address within an IPv4-mapped (::ffff:a.b.c.d) or NAT64 (64:ff9b::a.b.c.d) one; any other address itself.</summary>
    public static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork) return address;
        var value = Value6(address);
        var high = value & ~(UInt128)uint.MaxValue;
        // The bytes in network order make the address; a scope id is of no use outside one link.
        if (high == MappedPrefix || high == Nat64Prefix)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value);
            return new IPAddress(bytes);
        }
        return address;
    }

    /// <summary>Why an unwrapped address can't be a client's on the Internet ("PRIVATE_ADDRESS"); null when it can.</summary>
    public static string? SpecialPurpose(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            var value = Value4(address);
            foreach (var range in Special4)
            {
                if ((value & range.Mask) == range.Network) return range.Code;
            }
            return null;
        }
        var value6 = Value6(address);
        foreach (var range in Special6)
        {
            if ((value6 & range.Mask) == range.Network) return range.Code;
        }
        return value6 >> 125 == 1 ? null : "RESERVED_ADDRESS";
    }

    /// <summary>The site's network as text: /24 for IPv4, /48 for IPv6.</summary>
    public static string Net(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? Text(address, 24) : Text(address, 48);

    /// <summary>What one line or machine holds: the address itself for IPv4, the /64 for IPv6.</summary>
    public static string Line(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : Text(address, 64);

    /// <summary>The value of an IPv4 address.</summary>
    public static uint Value4(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (!address.TryWriteBytes(bytes, out var written) || written != 4) throw new ArgumentException("Not an IPv4 address.", nameof(address));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    /// <summary>The value of an IPv6 address.</summary>
    public static UInt128 Value6(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var written) || written != 16) throw new ArgumentException("Not an IPv6 address.", nameof(address));
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static string Text(IPAddress address, int prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        bytes[(prefix / 8)..length].Clear();
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{new IPAddress(bytes[..length])}/{prefix}");
    }

    private static IEnumerable<Range4> Ranges4(string networks, string code)
    {
        foreach (var text in networks.Split(' '))
        {
            var network = IPNetwork.Parse(text);
            yield return new Range4(Value4(network.BaseAddress), uint.MaxValue << (32 - network.PrefixLength), code);
        }
    }

    private static IEnumerable<Range6> Ranges6(string networks, string code)
    {
        foreach (var text in networks.Split(' '))
        {
            var network = IPNetwork.Parse(text);
            yield return new Range6(Value6(network.BaseAddress), UInt128.MaxValue << (128 - network.PrefixLength), code);
        }
    }

    private readonly record struct Range4(uint Network, uint Mask, string Code);

    private readonly record struct Range6(UInt128 Network, UInt128 Mask, string Code);
}
