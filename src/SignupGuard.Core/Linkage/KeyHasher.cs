using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// Turns canonical values into link keys. Thread-safe. Holds the deployment key, and the hashes of a bounded number of values that many
/// accounts share and that are nobody's own (a country, a browser's version).
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as the process; what threads keep ready has finalizers of its own.")]
public sealed class KeyHasher
{
    /// <summary>Bytes of the deployment key.</summary>
    public const int KeyBytes = 32;

    /// <summary>Common values remembered. A power of two: each has one place, and the later of two that fall on one place stays.</summary>
    private const int RememberedMax = 8_192;

    /// <summary>Longest common value remembered, with tenant and kind, in bytes: at most 2 MiB in all.</summary>
    private const int RememberedBytesMax = 256;

    private const int StackBytesMax = 512;

    private readonly ThreadLocal<IncrementalHash> _keyed;
    private readonly Remembered?[] _remembered = new Remembered?[RememberedMax];

    public KeyHasher(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyBytes) throw new ArgumentException($"The link key secret has {KeyBytes} bytes.", nameof(key));
        var own = key.ToArray();
        // Setting the key up costs more than hashing an identifier, so each thread keeps a keyed hash ready.
        _keyed = new ThreadLocal<IncrementalHash>(() => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, own));
    }

    /// <summary>Key of one canonical value.</summary>
    /// <param name="common">The value is shared by many and nobody's own, so that its hash may be remembered. Never for personal data.</param>
    public LinkKey Hash(string tenant, KeyKind kind, ReadOnlySpan<char> value, bool common = false)
    {
        var size = Encoding.UTF8.GetMaxByteCount(tenant.Length + value.Length) + 3;
        var buffer = size <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[size];
        BinaryPrimitives.WriteInt16BigEndian(buffer, kind.Code);
        var length = 2 + Encoding.UTF8.GetBytes(tenant, buffer[2..]);
        buffer[length++] = 0; // Neither tenant nor value holds NUL, so no two pairs give the same bytes.
        length += Encoding.UTF8.GetBytes(value, buffer[length..]);
        ReadOnlySpan<byte> message = buffer[..length];
        return common && length <= RememberedBytesMax ? Recall(message) : Truncate(message);
    }

    /// <summary>
    /// Key of a composite, from its parts' keys. The parts are keyed hashes nobody without the secret can steer, so a fast mix of them
    /// (multiply-and-fold, as in wyhash) is enough and costs a fiftieth of another HMAC.
    /// </summary>
    public static LinkKey Combine(KeyKind kind, params ReadOnlySpan<LinkKey> parts)
    {
        var (low, high) = ((ulong)kind.Code * 0x9E3779B97F4A7C15UL, 0xD6E8FEB86659FD93UL);
        foreach (var part in parts)
        {
            var (partLow, partHigh) = ((ulong)part.Hash, (ulong)(part.Hash >> 64));
            var one = Fold(low ^ partLow, partHigh ^ 0xA0761D6478BD642FUL);
            var two = Fold(high ^ partHigh, partLow ^ 0xE7037ED1A0B428DBUL);
            (low, high) = (one ^ BitOperations.RotateLeft(two, 29), two + one);
        }
        return new LinkKey(new UInt128(Fold(high ^ 0x8EBC6AF09C88C6E3UL, low), Fold(low ^ 0x589965CC75374CC3UL, high)));
    }

    private static ulong Fold(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low ^ left;
    }

    private LinkKey Recall(ReadOnlySpan<byte> message)
    {
        var hash = new HashCode();
        hash.AddBytes(message);
        ref var place = ref _remembered[hash.ToHashCode() & (RememberedMax - 1)];
        // Entries are immutable and replaced as a whole: another thread's is as good.
        if (Volatile.Read(ref place) is { } known && message.SequenceEqual(known.Message)) return known.Key;
        var key = Truncate(message);
        Volatile.Write(ref place, new Remembered(message.ToArray(), key));
        return key;
    }

    private LinkKey Truncate(ReadOnlySpan<byte> message)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var keyed = _keyed.Value!;
        keyed.AppendData(message);
        keyed.GetHashAndReset(digest);
        return new LinkKey(BinaryPrimitives.ReadUInt128BigEndian(digest));
    }

    private sealed record Remembered(byte[] Message, LinkKey Key);
}
