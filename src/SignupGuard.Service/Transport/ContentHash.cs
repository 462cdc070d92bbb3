using System.Security.Cryptography;
using Google.Protobuf;

namespace SignupGuard.Service.Transport;

/// <summary>SHA-256 of a signup as sent: tells a repeat from a reused id. The order of map entries on the wire makes no difference.</summary>
internal static class ContentHash
{
    /// <summary>The message's bytes in one fixed form: fields by number, map entries by key.</summary>
    public static byte[] Canonical(IMessage message)
    {
        var bytes = new byte[message.CalculateSize()];
        using var output = new CodedOutputStream(bytes) { Deterministic = true };
        message.WriteTo(output);
        output.Flush();
        return bytes;
    }

    public static byte[] Of(ReadOnlySpan<byte> canonical) => SHA256.HashData(canonical);
}
