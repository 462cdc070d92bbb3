using System.Buffers.Binary;
using System.Text;

namespace SignupGuard.Core.Binary;

/// <summary>Writes the compact little-endian layouts of stored states. The caller gives a buffer that is large enough.</summary>
internal ref struct ByteWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _at;

    public readonly int Length => _at;

    public void Byte(byte value) => _buffer[_at++] = value;

    /// <summary>Zigzag and 7 bits a byte: small numbers of either sign are short.</summary>
    public void Number(long value)
    {
        var rest = (ulong)((value << 1) ^ (value >> 63));
        while (rest >= 0x80)
        {
            _buffer[_at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        _buffer[_at++] = (byte)rest;
    }

    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer[_at..], value);
        _at += 4;
    }

    public void UInt128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_buffer[_at..], value);
        _at += 16;
    }

    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(_buffer[_at..], value);
        _at += 8;
    }

    /// <summary>Text in UTF-8 by its length; absent is not empty.</summary>
    public void OptionalText(string? value)
    {
        if (value is null)
        {
            Byte(0);
            return;
        }
        Number(Encoding.UTF8.GetByteCount(value) + 1);
        _at += Encoding.UTF8.GetBytes(value, _buffer[_at..]);
    }

    /// <summary>Most bytes that <see cref="OptionalText"/> takes.</summary>
    public static int TextBytesMax(string? value) => value is null ? 1 : LengthBytesMax + (3 * value.Length);

    /// <summary>Length and UTF-8.</summary>
    public void Text(string value)
    {
        Number(Encoding.UTF8.GetByteCount(value));
        _at += Encoding.UTF8.GetBytes(value, _buffer[_at..]);
    }

    public readonly byte[] ToArray() => _buffer[.._at].ToArray();

    private const int LengthBytesMax = 5;
}

/// <summary>Reads what <see cref="ByteWriter"/> wrote; anything else throws <see cref="InvalidDataException"/>.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> buffer)
{
    private readonly ReadOnlySpan<byte> _buffer = buffer;
    private int _at;

    public readonly bool AtEnd => _at == _buffer.Length;

    public static InvalidDataException Damaged() => new("A stored state is damaged or of an unknown version.");

    public byte Byte() => Take(1)[0];

    public long Number()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return (long)(value >> 1) ^ -(long)(value & 1);
        }
        throw Damaged();
    }

    /// <summary>A number from 0 to <paramref name="max"/>.</summary>
    public int Count(int max)
    {
        var value = Number();
        return value >= 0 && value <= max ? (int)value : throw Damaged();
    }

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public UInt128 UInt128() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    /// <summary>A finite number, or NaN.</summary>
    public double Double()
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(Take(8));
        return double.IsInfinity(value) ? throw Damaged() : value;
    }

    /// <summary>Text of at most so many bytes; null when absent.</summary>
    public string? OptionalText(int bytesMax)
    {
        var length = Count(bytesMax + 1);
        return length == 0 ? null : Encoding.UTF8.GetString(Take(length - 1));
    }

    public string Text() => Encoding.UTF8.GetString(Take(Count(int.MaxValue)));

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_buffer.Length - _at < count) throw Damaged();
        var taken = _buffer.Slice(_at, count);
        _at += count;
        return taken;
    }
}
