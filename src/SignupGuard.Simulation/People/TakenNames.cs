using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.People;

/// <summary>
/// What is taken already (mailboxes, numbers, domains): a Bloom filter, so memory stays fixed however long the run. A wrong "taken" only makes
/// somebody choose another one.
/// </summary>
internal sealed class TakenNames
{
    private const int BitsLog2 = 26;
    private readonly ulong[] _bits = new ulong[1 << (BitsLog2 - 6)];

    /// <summary>False when it was taken before.</summary>
    public bool Take(ReadOnlySpan<char> text)
    {
        var hash = RandomSource.Hash(text);
        var step = (hash >> 32) | 1;
        var fresh = false;
        for (var i = 0; i < 4; i++)
        {
            var bit = (hash + (ulong)i * step) & ((1UL << BitsLog2) - 1);
            ref var word = ref _bits[bit >> 6];
            var mask = 1UL << (int)(bit & 63);
            fresh |= (word & mask) == 0;
            word |= mask;
        }
        return fresh;
    }
}
