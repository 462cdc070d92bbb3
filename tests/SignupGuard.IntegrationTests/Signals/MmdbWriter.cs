using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignupGuard.IntegrationTests.Signals;

/// <summary>Writes small databases in MaxMind's format (version 2.0, 32-bit records), for what no package on the feed can make.</summary>
internal sealed class MmdbWriter(string type, int ipVersion, DateTimeOffset built)
{
    private const int SeparatorLength = 16;

    private readonly List<(int Left, int Right)> _nodes = [(Empty, Empty)];
    private readonly List<byte[]> _records = [];

    // In the tree being built: a node is its index, no data is −1, record n is −2 − n.
    private const int Empty = -1;

    /// <summary>Adds a network with its record: maps, lists, strings, bools, ints, longs and doubles. Networks may not overlap.</summary>
    public MmdbWriter Add(string network, Dictionary<string, object> record)
    {
        var data = new MemoryStream();
        Write(data, record);
        var parsed = IPNetwork.Parse(network);
        var bytes = parsed.BaseAddress.GetAddressBytes();
        var length = parsed.PrefixLength;
        // In a tree of both families IPv4 lives below ::/96.
        if (ipVersion == 6 && parsed.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
        {
            bytes = [.. new byte[12], .. bytes];
            length += 96;
        }
        _records.Add(data.ToArray());
        var node = 0;
        for (var bit = 0; bit < length; bit++)
        {
            var right = (bytes[bit / 8] >> (7 - (bit % 8)) & 1) == 1;
            if (bit == length - 1)
            {
                Set(node, right, -1 - _records.Count);
                break;
            }
            var next = right ? _nodes[node].Right : _nodes[node].Left;
            if (next < Empty) throw new InvalidOperationException($"{network} lies in a network added before.");
            if (next == Empty)
            {
                next = _nodes.Count;
                _nodes.Add((Empty, Empty));
                Set(node, right, next);
            }
            node = next;
        }
        return this;
    }

    public byte[] ToArray()
    {
        var offsets = new List<int>();
        var data = new MemoryStream();
        foreach (var record in _records)
        {
            offsets.Add((int)data.Position);
            data.Write(record);
        }

        var file = new MemoryStream();
        Span<byte> word = stackalloc byte[4];
        foreach (var (left, right) in _nodes)
        {
            foreach (var child in (int[])[left, right])
            {
                var value = child >= 0 ? child : child == Empty ? _nodes.Count : _nodes.Count + SeparatorLength + offsets[-2 - child];
                BinaryPrimitives.WriteUInt32BigEndian(word, (uint)value);
                file.Write(word);
            }
        }
        file.Write(new byte[SeparatorLength]);
        file.Write(data.ToArray());
        file.Write([0xAB, 0xCD, 0xEF]);
        file.Write("MaxMind.com"u8);
        Write(
            file,
            new Dictionary<string, object>
            {
                ["binary_format_major_version"] = (ushort)2,
                ["binary_format_minor_version"] = (ushort)0,
                ["build_epoch"] = (ulong)built.ToUnixTimeSeconds(),
                ["database_type"] = type,
                ["description"] = new Dictionary<string, object> { ["en"] = "made for a test" },
                ["ip_version"] = (ushort)ipVersion,
                ["languages"] = new object[] { "en" },
                ["node_count"] = (uint)_nodes.Count,
                ["record_size"] = (ushort)32,
            });
        return file.ToArray();
    }

    public string Save(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        // Beside and then over: how such files are replaced in earnest.
        File.WriteAllBytes(path + ".new", ToArray());
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    private void Set(int node, bool right, int value)
    {
        var (l, r) = _nodes[node];
        _nodes[node] = right ? (l, value) : (value, r);
    }

    private static void Write(Stream stream, object value)
    {
        switch (value)
        {
            case string text:
                var utf8 = Encoding.UTF8.GetBytes(text);
                Control(stream, 2, utf8.Length);
                stream.Write(utf8);
                break;
            case double number:
                Control(stream, 3, 8);
                Span<byte> eight = stackalloc byte[8];
                BinaryPrimitives.WriteDoubleBigEndian(eight, number);
                stream.Write(eight);
                break;
            case ushort number:
                Unsigned(stream, 5, number);
                break;
            case uint number:
                Unsigned(stream, 6, number);
                break;
            case int number and >= 0:
                Unsigned(stream, 6, (ulong)number);
                break;
            case ulong number:
                Unsigned(stream, 9, number);
                break;
            case bool flag:
                Control(stream, 14, flag ? 1 : 0);
                break;
            case Dictionary<string, object> map:
                Control(stream, 7, map.Count);
                foreach (var (key, item) in map)
                {
                    Write(stream, key);
                    Write(stream, item);
                }
                break;
            case object[] list:
                Control(stream, 11, list.Length);
                foreach (var item in list) Write(stream, item);
                break;
            default:
                throw new ArgumentException($"No type of the format for {value.GetType()}.", nameof(value));
        }
    }

    private static void Unsigned(Stream stream, int type, ulong number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        var kept = bytes.TrimStart((byte)0);
        Control(stream, type, kept.Length);
        stream.Write(kept);
    }

    private static void Control(Stream stream, int type, int size)
    {
        // Sizes up to 28 stand in the control byte itself, up to 284 in one more byte.
        if (size > 284) throw new ArgumentOutOfRangeException(nameof(size), size, "Longer than a test needs.");
        var inByte = size < 29 ? size : 29;
        stream.WriteByte((byte)((type <= 7 ? type << 5 : 0) | inByte));
        if (type > 7) stream.WriteByte((byte)(type - 7));
        if (inByte == 29) stream.WriteByte((byte)(size - 29));
    }
}
