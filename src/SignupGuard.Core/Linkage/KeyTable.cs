using System.Runtime.InteropServices;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// Key states in memory: of one batch, or of a whole replayed stream. Not thread-safe.
/// References it gives are good until the next key is added.
/// </summary>
public sealed class KeyTable
{
    private static readonly KeyState Unseen;

    private readonly Dictionary<LinkKey, KeyState>[] _shards;
    private readonly HashSet<LinkKey>? _changed;

    /// <param name="large">For millions of keys: sharded, so that growing copies a small part at a time, and without a list of changes.</param>
    public KeyTable(bool large = false)
    {
        _shards = new Dictionary<LinkKey, KeyState>[large ? 256 : 1];
        for (var i = 0; i < _shards.Length; i++) _shards[i] = [];
        _changed = large ? null : [];
    }

    public long Count => _shards.Sum(shard => (long)shard.Count);

    /// <summary>Keys whose state differs from what was loaded.</summary>
    public IReadOnlyCollection<LinkKey> Changed => _changed ?? throw new InvalidOperationException("A large table keeps no list of changes.");

    public void Load(LinkKey key, in KeyState state) => Shard(key)[key] = state;

    public bool Contains(LinkKey key) => Shard(key).ContainsKey(key);

    /// <summary>The state; of a key never seen an empty one.</summary>
    public ref readonly KeyState Look(LinkKey key)
    {
        ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(Shard(key), key);
        return ref System.Runtime.CompilerServices.Unsafe.IsNullRef(ref state) ? ref Unseen : ref state;
    }

    /// <summary>The state to change; a key never seen starts empty.</summary>
    public ref KeyState Change(LinkKey key)
    {
        _changed?.Add(key);
        return ref CollectionsMarshal.GetValueRefOrAddDefault(Shard(key), key, out _)!;
    }

    /// <summary>Forgets keys that can't matter any more. Keeps memory bounded on an endless stream.</summary>
    /// <returns>How many were forgotten.</returns>
    public long Forget(long nowMs)
    {
        var forgotten = 0L;
        foreach (var shard in _shards)
        {
            foreach (var (key, state) in shard)
            {
                if (!state.Forgettable(nowMs)) continue;
                shard.Remove(key);
                forgotten++;
            }
        }
        return forgotten;
    }

    private Dictionary<LinkKey, KeyState> Shard(LinkKey key) => _shards.Length == 1 ? _shards[0] : _shards[(int)(key.Hash >> 120)];
}
