using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.ReferenceData;

/// <summary>A set of addresses and networks, IPv4 and IPv6, from a list with one address, CIDR network or "first-last" range a line.</summary>
public sealed class AddressSet
{
    private readonly UInt128[] _first;
    private readonly UInt128[] _last;

    private AddressSet(List<(UInt128 First, UInt128 Last)> merged)
    {
        _first = [.. merged.Select(range => range.First)];
        _last = [.. merged.Select(range => range.Last)];
    }

    /// <summary>Ranges after merging.</summary>
    public int Count => _first.Length;

    /// <summary>Reads lines; blank ones and what follows a # do not count.</summary>
    /// <exception cref="FormatException">A line that is none of the three; names the list and the line.</exception>
    public static AddressSet Read(IEnumerable<(string Name, IEnumerable<string> Lines)> lists)
    {
        var ranges = new List<(UInt128 First, UInt128 Last)>();
        foreach (var (name, lines) in lists)
        {
            var number = 0;
            foreach (var line in lines)
            {
                number++;
                var comment = line.IndexOf('#', StringComparison.Ordinal);
                var text = (comment < 0 ? line : line[..comment]).Trim();
                if (text.Length == 0) continue;
                ranges.Add(Range(text) ?? throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{name}, line {number}: not an address, a network or a range.")));
            }
        }
        ranges.Sort();
        var merged = new List<(UInt128 First, UInt128 Last)>(ranges.Count);
        foreach (var range in ranges)
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last) merged[^1] = (merged[^1].First, UInt128.Max(merged[^1].Last, range.Last));
            else merged.Add(range);
        }
        return new AddressSet(merged);
    }

    /// <summary>Whether an unwrapped address is in the set.</summary>
    public bool Contains(IPAddress address)
    {
        var value = Value(address);
        var at = Array.BinarySearch(_first, value);
        if (at < 0) at = ~at - 1;
        return at >= 0 && value <= _last[at];
    }

    private static (UInt128 First, UInt128 Last)? Range(string text)
    {
        if (text.Contains('/', StringComparison.Ordinal))
        {
            // A host part beside the prefix ("192.0.2.1/24") is common in lists and clear in meaning.
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (!IPAddress.TryParse(text.AsSpan(0, slash), out var inside) || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)) return null;
            var bits = inside.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
            if (prefix > bits) return null;
            var free = bits - prefix;
            var host = free == 128 ? UInt128.MaxValue : (UInt128.One << free) - 1;
            var first = Value(inside) & ~host;
            return (first, first | host);
        }
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash > 0)
        {
            if (!IPAddress.TryParse(text.AsSpan(0, dash).Trim(), out var from) || !IPAddress.TryParse(text.AsSpan(dash + 1).Trim(), out var to) || from.AddressFamily != to.AddressFamily) return null;
            return Value(from) <= Value(to) ? (Value(from), Value(to)) : null;
        }
        return IPAddress.TryParse(text, out var address) ? (Value(AddressSpace.Unwrap(address)), Value(AddressSpace.Unwrap(address))) : null;
    }

    // IPv4 in its mapped place, so that one order holds both.
    private static UInt128 Value(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? ((UInt128)0xFFFF << 32) | AddressSpace.Value4(address) : AddressSpace.Value6(address);
}
