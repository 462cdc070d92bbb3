using System.Net;
using System.Net.Sockets;
using SignupGuard.Core.Binary;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;

namespace SignupGuard.Core.Lists;

/// <summary>
/// A value as lists compare it, in 128 bits. Values of persons, and domains, are the deployment's keyed hash, the same that link keys are; networks,
/// card ranges, autonomous systems and countries are packed as they are. Keys of different types may be equal.
/// </summary>
public readonly record struct ListKey(UInt128 Bits)
{
    /// <summary>Bits before an IPv4 address where it is written as IPv6 (::ffff:0:0/96).</summary>
    public const int MappedBits = 96;

    private static readonly UInt128 Mapped = (UInt128)0xFFFF << 32;

    public static ListKey Of(LinkKey hashed) => new(hashed.Hash);

    /// <summary>A whole address, hashed. Its last bit is one, so that it is not taken for a network of some length.</summary>
    public static ListKey OfAddress(LinkKey hashed) => new(hashed.Hash | UInt128.One);

    /// <summary>
    /// The first bits of an address and, after them, a one: so networks of any length have keys of their own. A whole address is no network: it is hashed.
    /// </summary>
    /// <param name="value">By <see cref="Value"/>.</param>
    /// <param name="length">0 to 127 of the 128 bits.</param>
    public static ListKey OfNetwork(UInt128 value, int length)
    {
        var marker = UInt128.One << (127 - length);
        return new ListKey((value & ~(marker | (marker - 1))) | marker);
    }

    /// <summary>An unwrapped address in 128 bits; IPv4 in its mapped form, which no unwrapped IPv6 address has.</summary>
    public static UInt128 Value(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? Mapped | AddressSpace.Value4(address) : AddressSpace.Value6(address);

    public static ListKey OfAsn(uint number) => new(number);

    /// <param name="text">At most 8 ASCII characters: digits of a card range, letters of a country.</param>
    public static ListKey OfShortText(ReadOnlySpan<char> text)
    {
        var bits = 0UL;
        foreach (var character in text) bits = (bits << 8) | (byte)character;
        return new ListKey(bits);
    }

    public Guid ToGuid() => GuidBits.ToGuid(Bits);

    public static ListKey From(Guid stored) => new(GuidBits.Of(stored));
}
