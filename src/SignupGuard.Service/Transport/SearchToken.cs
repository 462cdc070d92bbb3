using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Page tokens of searches: the place of the last case or signup looked at, and which question it belongs to: with another filter or order it would name
/// another place.
/// </summary>
internal static class SearchToken
{
    private const int CharactersMax = 128;

    private const byte Version = 1;
    private const int QuestionBytes = 8;
    private const int CaseBytes = 1 + 4 + 8 + 8 + 8 + 16;
    private const int SignupBytes = 8 + 8;

    public static string Write(CasePosition place, string question)
    {
        Span<byte> bytes = stackalloc byte[CaseBytes];
        bytes[0] = place.Appealed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], place.Priority);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[5..], place.Score);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[13..], place.Signups);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[21..], place.OpenedAt.UtcTicks);
        place.Id.TryWriteBytes(bytes[29..]);
        return Encode(bytes, question);
    }

    public static string Write(SignupPosition place, string question)
    {
        Span<byte> bytes = stackalloc byte[SignupBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, place.Ordinal);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[8..], place.Score);
        return Encode(bytes, question);
    }

    /// <returns>Null when it is no token of this service, or one of another question.</returns>
    public static CasePosition? ReadCase(string token, string question)
    {
        Span<byte> bytes = stackalloc byte[CaseBytes];
        if (!Decode(token, question, bytes)) return null;
        var ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes[21..]);
        if (bytes[0] > 1 || ticks < DateTimeOffset.MinValue.Ticks || ticks > DateTimeOffset.MaxValue.Ticks) return null;
        return new CasePosition(
            bytes[0] == 1,
            BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]),
            BinaryPrimitives.ReadDoubleLittleEndian(bytes[5..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[13..]),
            new DateTimeOffset(ticks, TimeSpan.Zero),
            new Guid(bytes[29..]));
    }

    /// <returns>Null when it is no token of this service, or one of another question.</returns>
    public static SignupPosition? ReadSignup(string token, string question)
    {
        Span<byte> bytes = stackalloc byte[SignupBytes];
        return Decode(token, question, bytes) ? new SignupPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadDoubleLittleEndian(bytes[8..])) : null;
    }

    private static string Encode(ReadOnlySpan<byte> place, string question)
    {
        Span<byte> bytes = stackalloc byte[1 + QuestionBytes + place.Length];
        bytes[0] = Version;
        Question(question, bytes[1..]);
        place.CopyTo(bytes[(1 + QuestionBytes)..]);
        return Base64Url.EncodeToString(bytes);
    }

    private static bool Decode(string token, string question, Span<byte> place)
    {
        Span<byte> bytes = stackalloc byte[1 + QuestionBytes + place.Length];
        Span<byte> asked = stackalloc byte[QuestionBytes];
        Question(question, asked);
        if (token.Length > CharactersMax || Base64Url.DecodeFromChars(token, bytes, out _, out var read) != OperationStatus.Done || read != bytes.Length) return false;
        if (bytes[0] != Version || !bytes.Slice(1, QuestionBytes).SequenceEqual(asked)) return false;
        bytes[(1 + QuestionBytes)..].CopyTo(place);
        return true;
    }

    private static void Question(string question, Span<byte> into) => SHA256.HashData(Encoding.UTF8.GetBytes(question)).AsSpan(0, QuestionBytes).CopyTo(into);
}
