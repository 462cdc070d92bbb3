using SignupGuard.Core.Binary;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Clusters;

/// <summary>The ties of one signup as stored until the worker has applied them.</summary>
public static class KeyTieCodec
{
    private const byte Version = 1;

    public static byte[] Encode(IReadOnlyList<KeyTie> ties)
    {
        var buffer = new byte[1 + ties.Sum(tie => 16 + 3 + 2 + (10 * tie.Ordinals.Count))];
        var writer = new ByteWriter(buffer);
        writer.Byte(Version);
        foreach (var tie in ties)
        {
            writer.UInt128(tie.Key.Hash);
            writer.Number(tie.Kind.Code);
            writer.Number(tie.Ordinals.Count);
            foreach (var ordinal in tie.Ordinals) writer.Number(ordinal);
        }
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or of an unknown version.</exception>
    public static List<KeyTie> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version) throw ByteReader.Damaged();
        var ties = new List<KeyTie>();
        while (!reader.AtEnd)
        {
            var (key, kind) = (new LinkKey(reader.UInt128()), new KeyKind((short)reader.Number()));
            var ordinals = new long[reader.Count(KeyState.MembersMax)];
            for (var i = 0; i < ordinals.Length; i++) ordinals[i] = reader.Number();
            ties.Add(new KeyTie(key, kind, ordinals));
        }
        return ties;
    }
}
