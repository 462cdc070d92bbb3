using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using SignupGuard.Core.Signals;

namespace SignupGuard.Service.Screening;

/// <summary>What a decision was made from: what replay and backtests read.</summary>
/// <param name="Signup">The contract's message, serialised.</param>
public sealed record SignupFacts(byte[] Signup, SignupSignals Signals);

/// <summary>
/// Facts as stored: the request and its signals, compressed where that pays, sealed with AES-256-GCM. The tenant is
/// authenticated with them, so facts never open under another's. Thread-safe.
/// <code>
///  layout │ key id │ nonce │ tag │ ciphertext of: form │ length of request (LE) │ request │ signals (SignalsCodec)
///    1    │   1    │  12   │ 16  │                 1   │          4             │    all after the form as one Brotli stream when form is 1
/// </code>
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as the process; what threads keep ready has finalizers of its own.")]
public sealed class FactsCipher
{
    public const int KeyBytes = 32;

    private const byte Layout = 1;
    private const byte Plain = 0;
    private const byte Compressed = 1;
    private const int HeaderBytes = 2;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Most bytes that facts may grow to when opened; far above any request's bound.</summary>
    private const int OpenedBytesMax = 16 * 1024 * 1024;

    /// <summary>Opens nearly all in one go.</summary>
    private const int FirstBufferBytes = 8 * 1024;

    private readonly byte _keyId;
    private readonly Dictionary<byte, byte[]> _keys;

    // Setting a key up costs as much as sealing a signup. Not thread-safe, so one a thread; by key id.
    private readonly ThreadLocal<AesGcm?[]> _ciphers = new(() => new AesGcm?[byte.MaxValue + 1]);

    /// <param name="keyId">The key that new facts are sealed under.</param>
    /// <param name="keys">By id; those but <paramref name="keyId"/> only open what was sealed under them.</param>
    public FactsCipher(byte keyId, IReadOnlyDictionary<byte, byte[]> keys)
    {
        if (!keys.ContainsKey(keyId)) throw new ArgumentException("The key to seal under is not among the keys.", nameof(keyId));
        if (keys.Values.Any(key => key.Length != KeyBytes)) throw new ArgumentException($"A facts key has {KeyBytes} bytes.", nameof(keys));
        _keyId = keyId;
        _keys = new Dictionary<byte, byte[]>(keys);
    }

    public byte[] Seal(string tenant, SignupFacts facts)
    {
        var plain = Encode(facts);
        var sealed_ = new byte[HeaderBytes + NonceBytes + TagBytes + plain.Length];
        sealed_[0] = Layout;
        sealed_[1] = _keyId;
        var nonce = sealed_.AsSpan(HeaderBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        Cipher(_keyId).Encrypt(nonce, plain, sealed_.AsSpan(HeaderBytes + NonceBytes + TagBytes), sealed_.AsSpan(HeaderBytes + NonceBytes, TagBytes), Encoding.UTF8.GetBytes(tenant));
        return sealed_;
    }

    /// <exception cref="InvalidDataException">Damaged, of another tenant, of an unknown layout, or sealed under a key that is not at hand.</exception>
    public SignupFacts Open(string tenant, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < HeaderBytes + NonceBytes + TagBytes || stored[0] != Layout) throw new InvalidDataException("Stored facts are damaged or of an unknown layout.");
        if (!_keys.ContainsKey(stored[1])) throw new InvalidDataException($"Stored facts are sealed under key {stored[1]}, which is not configured.");
        var plain = new byte[stored.Length - HeaderBytes - NonceBytes - TagBytes];
        try
        {
            Cipher(stored[1]).Decrypt(stored.Slice(HeaderBytes, NonceBytes), stored[(HeaderBytes + NonceBytes + TagBytes)..], stored.Slice(HeaderBytes + NonceBytes, TagBytes), plain, Encoding.UTF8.GetBytes(tenant));
        }
        catch (AuthenticationTagMismatchException failure)
        {
            throw new InvalidDataException("Stored facts are damaged, or belong to another tenant.", failure);
        }
        return Decode(plain);
    }

    private AesGcm Cipher(byte keyId) => _ciphers.Value![keyId] ??= new AesGcm(_keys[keyId], TagBytes);

    /// <summary>A short text, sealed like facts. It opens for the same tenant and purpose alone.</summary>
    /// <param name="purpose">What it is; without NUL.</param>
    public byte[] SealText(string tenant, string purpose, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var stored = new byte[HeaderBytes + NonceBytes + TagBytes + plain.Length];
        stored[0] = Layout;
        stored[1] = _keyId;
        var nonce = stored.AsSpan(HeaderBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        Cipher(_keyId).Encrypt(nonce, plain, stored.AsSpan(HeaderBytes + NonceBytes + TagBytes), stored.AsSpan(HeaderBytes + NonceBytes, TagBytes), Encoding.UTF8.GetBytes($"{tenant}\0{purpose}"));
        return stored;
    }

    /// <exception cref="InvalidDataException">Damaged, of another tenant or purpose, or sealed under a key that is not at hand.</exception>
    public string OpenText(string tenant, string purpose, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < HeaderBytes + NonceBytes + TagBytes || stored[0] != Layout) throw new InvalidDataException("A sealed text is damaged or of an unknown layout.");
        if (!_keys.ContainsKey(stored[1])) throw new InvalidDataException($"A text is sealed under key {stored[1]}, which is not configured.");
        var plain = new byte[stored.Length - HeaderBytes - NonceBytes - TagBytes];
        try
        {
            Cipher(stored[1]).Decrypt(
                stored.Slice(HeaderBytes, NonceBytes),
                stored[(HeaderBytes + NonceBytes + TagBytes)..],
                stored.Slice(HeaderBytes + NonceBytes, TagBytes),
                plain,
                Encoding.UTF8.GetBytes($"{tenant}\0{purpose}"));
        }
        catch (AuthenticationTagMismatchException failure)
        {
            throw new InvalidDataException("A sealed text is damaged, or belongs to another tenant or purpose.", failure);
        }
        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Encode(SignupFacts facts)
    {
        var signals = SignalsCodec.Encode(facts.Signals);
        var plain = new byte[1 + sizeof(int) + facts.Signup.Length + signals.Length];
        plain[0] = Plain;
        BinaryPrimitives.WriteInt32LittleEndian(plain.AsSpan(1), facts.Signup.Length);
        facts.Signup.CopyTo(plain.AsSpan(1 + sizeof(int)));
        signals.CopyTo(plain.AsSpan(1 + sizeof(int) + facts.Signup.Length));

        var compressed = new byte[plain.Length];
        if (!BrotliEncoder.TryCompress(plain.AsSpan(1), compressed.AsSpan(1), out var length, quality: 1, window: 16)) return plain;
        compressed[0] = Compressed;
        return compressed[..(1 + length)];
    }

    private static SignupFacts Decode(ReadOnlySpan<byte> plain) => plain[0] == Plain ? Split(plain[1..]) : Decompress(plain[1..], FirstBufferBytes);

    private static SignupFacts Decompress(ReadOnlySpan<byte> compressed, int bytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            if (BrotliDecoder.TryDecompress(compressed, buffer, out var length)) return Split(buffer.AsSpan(0, length));
        }
        finally
        {
            // Personal data: not for the next who rents it.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
        // Too small a buffer and damage look alike; the second is not: what was sealed opens.
        return bytes < OpenedBytesMax ? Decompress(compressed, Math.Min(bytes * 8, OpenedBytesMax)) : throw new InvalidDataException("Stored facts open to more than any request may have.");
    }

    private static SignupFacts Split(ReadOnlySpan<byte> content)
    {
        var request = BinaryPrimitives.ReadInt32LittleEndian(content);
        return new SignupFacts(content.Slice(sizeof(int), request).ToArray(), SignalsCodec.Decode(content[(sizeof(int) + request)..]));
    }
}
