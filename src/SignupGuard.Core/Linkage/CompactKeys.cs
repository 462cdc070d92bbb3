namespace SignupGuard.Core.Linkage;

/// <summary>
/// A signup's keys in a third of their size, to look again at one that is counted: of each key that is present the low 64 bits. Among a hundred
/// million keys two share those with a probability below one in a thousand; a second look of one would then read the other's counts.
/// </summary>
internal readonly struct CompactKeys
{
    public CompactKeys(DerivedKeys keys)
    {
        Account = keys.Account;
        Organisation = keys.Organisation;
        var count = 0;
        for (var i = 0; i < keys.Keys.Length; i++)
        {
            if (keys.Keys[i].IsNone) continue;
            Present |= 1UL << i;
            count++;
        }
        Low = new ulong[count];
        for (var (i, next) = (0, 0); next < count; i++)
        {
            if (!keys.Keys[i].IsNone) Low[next++] = (ulong)keys.Keys[i].Hash;
        }
    }

    /// <summary>Bits by <see cref="LinkageRule.Index"/>: a policy has at most 64 linkage rules.</summary>
    public ulong Present { get; }

    /// <summary>In the order of the rules.</summary>
    public ulong[] Low { get; }

    public int Account { get; }

    public int? Organisation { get; }
}
