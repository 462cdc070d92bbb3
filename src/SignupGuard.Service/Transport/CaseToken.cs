using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Page tokens of cases: the place of the last case looked at, and which question it belongs to: with another filter or order it would name another place.
/// </summary>
internal static class CaseToken
{
    public const int CharactersMax = 128;

    private const byte Version = 1;
    private const int QuestionBytes = 8;
    private const int Bytes = 1 + QuestionBytes + 1 + 4 + 8 + 8 + 8 + 16;

    public static string Write(CasePosition place, string question)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        Question(question, bytes[1..]);
        var at = 1 + QuestionBytes;
        bytes[at++] = place.Appealed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[at..], place.Priority);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[(at + 4)..], place.Score);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[(at + 12)..], place.Signups);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[(at + 20)..], place.OpenedAt.UtcTicks);
        place.Id.TryWriteBytes(bytes[(at + 28)..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <returns>Null when it is no token of this service, or one of another question.</returns>
    public static CasePosition? Read(string token, string question)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Span<byte> asked = stackalloc byte[QuestionBytes];
        Question(question, asked);
        if (token.Length > CharactersMax || Base64Url.DecodeFromChars(token, bytes, out _, out var read) != OperationStatus.Done || read != Bytes) return null;
        if (bytes[0] != Version || !bytes.Slice(1, QuestionBytes).SequenceEqual(asked)) return null;
        var at = 1 + QuestionBytes;
        var (appealed, ticks) = (bytes[at++], BinaryPrimitives.ReadInt64LittleEndian(bytes[(at + 20)..]));
        if (appealed > 1 || ticks < DateTimeOffset.MinValue.Ticks || ticks > DateTimeOffset.MaxValue.Ticks) return null;
        return new CasePosition(
            appealed == 1,
            BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]),
            BinaryPrimitives.ReadDoubleLittleEndian(bytes[(at + 4)..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[(at + 12)..]),
            new DateTimeOffset(ticks, TimeSpan.Zero),
            new Guid(bytes[(at + 28)..]));
    }

    private static void Question(string question, Span<byte> into) => SHA256.HashData(Encoding.UTF8.GetBytes(question)).AsSpan(0, QuestionBytes).CopyTo(into);
}
