using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// Which autonomous system announces an address: sorted ranges from the CSV files "first,last,number,organisation" with
/// addresses as whole numbers, IPv4 and IPv6 apart.
/// A look-up is a binary search without allocation.
/// </summary>
public sealed class AsnTable
{
    private const int OrganisationMax = 512;

    /// <summary>Bytes read at once, and the longest line.</summary>
    private const int BufferSize = 1 << 16;

    private readonly AsnRange<uint>[] _ranges4;
    private readonly AsnRange<UInt128>[] _ranges6;
    private readonly (uint Number, string Organisation)[] _systems;

    private AsnTable(AsnRange<uint>[] ranges4, AsnRange<UInt128>[] ranges6, (uint, string)[] systems) => (_ranges4, _ranges6, _systems) = (ranges4, ranges6, systems);

    public int Ranges4 => _ranges4.Length;

    public int Ranges6 => _ranges6.Length;

    /// <summary>Reads both files.</summary>
    /// <exception cref="FormatException">A line that is not of the form, or a range before its predecessor; names file and line.</exception>
    public static AsnTable Read(string ipv4File, string ipv6File)
    {
        var systems = new Systems();
        return new AsnTable(ReadRanges<uint>(ipv4File, systems), ReadRanges<UInt128>(ipv6File, systems), [.. systems.All]);
    }

    /// <summary>The system of an unwrapped address; false when no range holds it.</summary>
    public bool TryFind(IPAddress address, out uint number, out string organisation)
    {
        var system = address.AddressFamily == AddressFamily.InterNetwork
            ? Find(_ranges4, AddressSpace.Value4(address))
            : Find(_ranges6, AddressSpace.Value6(address));
        (number, organisation) = system < 0 ? (0, "") : _systems[system];
        return system >= 0;
    }

    private static int Find<T>(AsnRange<T>[] ranges, T value)
        where T : struct, IBinaryInteger<T>
    {
        var (low, high) = (0, ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            ref readonly var range = ref ranges[middle];
            if (value < range.First) high = middle - 1;
            else if (value > range.Last) low = middle + 1;
            else return range.System;
        }
        return -1;
    }

    private static AsnRange<T>[] ReadRanges<T>(string file, Systems systems)
        where T : struct, IBinaryInteger<T>
    {
        var ranges = new List<AsnRange<T>>(capacity: 1 << 17);
        var buffer = new byte[BufferSize];
        var (held, line) = (0, 0);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        while (true)
        {
            var read = stream.Read(buffer, held, buffer.Length - held);
            var text = buffer.AsSpan(0, held + read);
            while (text.IndexOf((byte)'\n') is >= 0 and var end)
            {
                ReadRow(text[..end], ++line, file, ranges, systems);
                text = text[(end + 1)..];
            }
            if (read == 0 || text.Length == buffer.Length)
            {
                // The last line may lack its end; a line that fills the buffer is none.
                ReadRow(text, ++line, file, ranges, systems);
                return [.. ranges];
            }
            text.CopyTo(buffer);
            held = text.Length;
        }
    }

    private static void ReadRow<T>(ReadOnlySpan<byte> row, int line, string file, List<AsnRange<T>> ranges, Systems systems)
        where T : struct, IBinaryInteger<T>
    {
        if (row.EndsWith("\r"u8)) row = row[..^1];
        if (row.IsEmpty) return;
        if (!TryNumber(ref row, out T first) || !TryNumber(ref row, out T last) || !TryNumber(ref row, out uint number) || last < first || (ranges.Count > 0 && first < ranges[^1].First))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(file)}, line {line}: not a range of addresses with its system, in order."));
        Span<char> organisation = stackalloc char[OrganisationMax];
        Add(ranges, new AsnRange<T>(first, last, systems.Index(number, organisation[..Unquote(row, organisation)])));
    }

    /// <summary>Appends a range. Where the data let two overlap, the one that starts later wins: it is the more specific announcement.</summary>
    private static void Add<T>(List<AsnRange<T>> ranges, AsnRange<T> range)
        where T : struct, IBinaryInteger<T>
    {
        if (ranges.Count == 0 || range.First > ranges[^1].Last)
        {
            ranges.Add(range);
            return;
        }
        var outer = ranges[^1];
        ranges.RemoveAt(ranges.Count - 1);
        if (outer.First < range.First) ranges.Add(outer with { Last = range.First - T.One });
        ranges.Add(range);
        if (outer.Last > range.Last) ranges.Add(outer with { First = range.Last + T.One });
    }

    /// <summary>Takes a whole number and the comma after it off the row's front.</summary>
    private static bool TryNumber<T>(ref ReadOnlySpan<byte> row, out T number)
        where T : struct, IBinaryInteger<T>
    {
        var comma = row.IndexOf((byte)',');
        number = T.Zero;
        if (comma < 0 || !T.TryParse(row[..comma], NumberStyles.None, CultureInfo.InvariantCulture, out number)) return false;
        row = row[(comma + 1)..];
        return true;
    }

    private static int Unquote(ReadOnlySpan<byte> field, Span<char> text)
    {
        if (field.Length > text.Length) field = field[..text.Length];
        var length = Encoding.UTF8.GetChars(field, text);
        if (length == 0 || text[0] != '"') return length;
        var inner = text[1..length];
        if (inner.EndsWith("\"")) inner = inner[..^1];
        // A quote within is written twice.
        var kept = inner.Contains('"') ? inner.ToString().Replace("\"\"", "\"", StringComparison.Ordinal) : null;
        (kept is null ? inner : kept.AsSpan()).CopyTo(text);
        return kept?.Length ?? inner.Length;
    }

    private readonly record struct AsnRange<T>(T First, T Last, int System);

    /// <summary>Systems by number and name, each name held once.</summary>
    private sealed class Systems
    {
        private readonly Dictionary<(uint, string), int> _index = [];
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);
        private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _byName;

        public Systems() => _byName = _names.GetAlternateLookup<ReadOnlySpan<char>>();

        public List<(uint Number, string Organisation)> All { get; } = [];

        public int Index(uint number, ReadOnlySpan<char> organisation)
        {
            if (!_byName.TryGetValue(organisation, out var name)) _names.Add(name = organisation.ToString());
            if (_index.TryGetValue((number, name), out var index)) return index;
            _index.Add((number, name), All.Count);
            All.Add((number, name));
            return All.Count - 1;
        }
    }
}
