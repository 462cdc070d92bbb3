using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// Which autonomous system announces an address: sorted ranges from the CSV files "first,last,number,organisation", IPv4 and IPv6 apart.
/// A look-up is a binary search without allocation.
/// </summary>
public sealed class AsnTable
{
    private readonly uint[] _first4;
    private readonly uint[] _last4;
    private readonly int[] _system4;
    private readonly UInt128[] _first6;
    private readonly UInt128[] _last6;
    private readonly int[] _system6;
    private readonly (uint Number, string Organisation)[] _systems;

    private AsnTable(List<(UInt128 First, UInt128 Last, int System)> ranges4, List<(UInt128 First, UInt128 Last, int System)> ranges6, (uint, string)[] systems)
    {
        _first4 = [.. ranges4.Select(range => (uint)range.First)];
        _last4 = [.. ranges4.Select(range => (uint)range.Last)];
        _system4 = [.. ranges4.Select(range => range.System)];
        _first6 = [.. ranges6.Select(range => range.First)];
        _last6 = [.. ranges6.Select(range => range.Last)];
        _system6 = [.. ranges6.Select(range => range.System)];
        _systems = systems;
    }

    public int Ranges4 => _first4.Length;

    public int Ranges6 => _first6.Length;

    /// <summary>Reads both files.</summary>
    /// <exception cref="FormatException">A line that is not of the form, or a range before its predecessor; names file and line.</exception>
    public static AsnTable Read(string ipv4File, string ipv6File)
    {
        var systems = new List<(uint, string)>();
        var index = new Dictionary<(uint, int), int>();
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        return new AsnTable(
            ReadRanges(ipv4File, AddressFamily.InterNetwork, systems, index, names),
            ReadRanges(ipv6File, AddressFamily.InterNetworkV6, systems, index, names),
            [.. systems]);
    }

    /// <summary>The system of an unwrapped address; false when no range holds it.</summary>
    public bool TryFind(IPAddress address, out uint number, out string organisation)
    {
        var system = address.AddressFamily == AddressFamily.InterNetwork
            ? Find(_first4, _last4, _system4, AddressSpace.Value4(address))
            : Find(_first6, _last6, _system6, AddressSpace.Value6(address));
        (number, organisation) = system < 0 ? (0, "") : _systems[system];
        return system >= 0;
    }

    private static int Find<T>(T[] first, T[] last, int[] system, T value)
        where T : IComparable<T>
    {
        var at = first.AsSpan().BinarySearch(value);
        if (at < 0) at = ~at - 1;
        return at >= 0 && value.CompareTo(last[at]) <= 0 ? system[at] : -1;
    }

    private static List<(UInt128 First, UInt128 Last, int System)> ReadRanges(
        string file,
        AddressFamily family,
        List<(uint, string)> systems,
        Dictionary<(uint, int), int> index,
        Dictionary<string, int> names)
    {
        var ranges = new List<(UInt128, UInt128, int)>(family == AddressFamily.InterNetwork ? 420_000 : 110_000);
        var lookup = names.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> organisation = stackalloc char[512];
        UInt128 start = 0;
        var line = 0;
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(file);
        while (!bytes.IsEmpty)
        {
            line++;
            var length = bytes.IndexOf((byte)'\n');
            var row = length < 0 ? bytes : bytes[..length];
            bytes = length < 0 ? default : bytes[(length + 1)..];
            if (row.EndsWith("\r"u8)) row = row[..^1];
            if (row.IsEmpty) continue;

            var firstComma = row.IndexOf((byte)',');
            var secondComma = firstComma < 0 ? -1 : Next(row, firstComma);
            var thirdComma = secondComma < 0 ? -1 : Next(row, secondComma);
            if (thirdComma < 0
                || !TryValue(row[..firstComma], family, out var first)
                || !TryValue(row[(firstComma + 1)..secondComma], family, out var last)
                || last < first
                || first < start
                || !Utf8Parser.TryParse(row[(secondComma + 1)..thirdComma], out uint number, out _))
            {
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}, line {line}: not a range of addresses with its system, in order."));
            }
            start = first;
            var name = organisation[..Unquote(row[(thirdComma + 1)..], organisation)];
            if (!lookup.TryGetValue(name, out var nameId))
            {
                nameId = names.Count;
                lookup[name] = nameId;
            }
            if (!index.TryGetValue((number, nameId), out var system))
            {
                system = systems.Count;
                lookup.TryGetValue(name, out var text, out _);
                systems.Add((number, text ?? ""));
                index.Add((number, nameId), system);
            }
            Add(ranges, first, last, system);
        }
        return ranges;
    }

    /// <summary>Appends a range. Where the data let two overlap, the one that starts later wins: it is the more specific announcement.</summary>
    private static void Add(List<(UInt128 First, UInt128 Last, int System)> ranges, UInt128 first, UInt128 last, int system)
    {
        if (ranges.Count == 0 || first > ranges[^1].Last)
        {
            ranges.Add((first, last, system));
            return;
        }
        var outer = ranges[^1];
        ranges.RemoveAt(ranges.Count - 1);
        if (outer.First < first) ranges.Add((outer.First, first - 1, outer.System));
        ranges.Add((first, last, system));
        if (outer.Last > last) ranges.Add((last + 1, outer.Last, outer.System));
    }

    private static int Next(ReadOnlySpan<byte> row, int comma)
    {
        var next = row[(comma + 1)..].IndexOf((byte)',');
        return next < 0 ? -1 : comma + 1 + next;
    }

    private static bool TryValue(ReadOnlySpan<byte> text, AddressFamily family, out UInt128 value)
    {
        value = 0;
        if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != family) return false;
        value = family == AddressFamily.InterNetwork ? AddressSpace.Value4(address) : AddressSpace.Value6(address);
        return true;
    }

    private static int Unquote(ReadOnlySpan<byte> field, Span<char> text)
    {
        if (field.Length > text.Length) field = field[..text.Length];
        var length = Encoding.UTF8.GetChars(field, text);
        if (length == 0 || text[0] != '"') return length;
        var kept = 0;
        for (var i = 1; i < length; i++)
        {
            if (text[i] != '"') text[kept++] = text[i];
            else if (i + 1 < length && text[i + 1] == '"') text[kept++] = text[i++];
        }
        return kept;
    }
}
