using System.Buffers.Binary;

namespace SignupGuard.Core.Binary;

/// <summary>128 bits as the database keeps them: a uuid whose text is the number in hexadecimal.</summary>
internal static class GuidBits
{
    public static Guid ToGuid(UInt128 bits)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        return new Guid(bytes, bigEndian: true);
    }

    public static UInt128 Of(Guid stored)
    {
        Span<byte> bytes = stackalloc byte[16];
        stored.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
