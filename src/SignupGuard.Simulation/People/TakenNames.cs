using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.People;

/// <summary>
/// What is taken already (mailboxes, numbers, domains): a Bloom filter, so memory stays fixed however long the run. A wrong "taken" only makes
/// somebody choose another one.
/// </summary>
internal sealed class TakenNames
{
    /// <summary>Blocks of 512 bits, one cache line each: 8 MiB in all.</summary>
    private const int BlocksLog2 = 17;

    private const int WordsPerBlock = 8;
    private const int BitsPerText = 4;

    private readonly ulong[] _words = new ulong[WordsPerBlock << BlocksLog2];

    /// <summary>False when it was taken before.</summary>
    public bool Take(ReadOnlySpan<char> text)
    {
        var hash = RandomSource.Hash(text);
        var block = _words.AsSpan((int)(hash >> (64 - BlocksLog2)) * WordsPerBlock, WordsPerBlock);
        var fresh = false;
        for (var i = 0; i < BitsPerText; i++)
        {
            var bit = (int)(hash >> (9 * i)) & 511;
            ref var word = ref block[bit >> 6];
            var mask = 1UL << (bit & 63);
            fresh |= (word & mask) == 0;
            word |= mask;
        }
        return fresh;
    }
}
