namespace SignupGuard.Core.Linkage;

/// <summary>
/// Key states in memory: of one batch, or of a whole replayed stream. Not thread-safe.
/// References it gives are good until keys are forgotten; adding keys moves none.
/// <para>
/// Open addressing over shards, each with its states in blocks that never move: growing copies four bytes a key of a small part, and a key not
/// seen before is told from the index alone. 56 bytes of state and 6 to 12 of index a key, as long as one account is on it.
/// </para>
/// </summary>
public sealed class KeyTable
{
    /// <summary>The slot of a key that is not in the table.</summary>
    internal const int Nowhere = -1;

    private const int LargeShards = 256;

    /// <summary>A slot is a shard's number and a place in it, in 32 bits; of a place an index entry has the low bits, above them a part of the key.</summary>
    private const int PlaceBits = 24;
    private const int PlacesMax = (1 << PlaceBits) - 2;
    private const uint PlaceMask = (1u << PlaceBits) - 1;

    private static readonly KeyState Unseen;

    private readonly Shard[] _shards;
    private readonly List<LinkKey>? _changed;

    /// <param name="large">For millions of keys, and without a list of changes.</param>
    public KeyTable(bool large = false)
    {
        _shards = new Shard[large ? LargeShards : 1];
        for (var i = 0; i < _shards.Length; i++) _shards[i] = new Shard(blockBits: large ? 10 : 6);
        _changed = large ? null : [];
    }

    public long Count
    {
        get
        {
            var count = 0L;
            foreach (var shard in _shards) count += shard.Count;
            return count;
        }
    }

    /// <summary>Keys whose state differs from what was loaded.</summary>
    public IReadOnlyCollection<LinkKey> Changed => _changed ?? throw new InvalidOperationException("A large table keeps no list of changes.");

    public void Load(LinkKey key, in KeyState state)
    {
        ref var known = ref At(FindOrAdd(key));
        var changed = known.Changed;
        known = state;
        known.Changed = changed;
    }

    public bool Contains(LinkKey key) => Find(key) != Nowhere;

    /// <summary>The state; of a key never seen an empty one.</summary>
    public ref readonly KeyState Look(LinkKey key)
    {
        var slot = Find(key);
        if (slot == Nowhere) return ref Unseen;
        return ref At(slot);
    }

    /// <summary>The state to change; a key never seen starts empty.</summary>
    public ref KeyState Change(LinkKey key) => ref Change(FindOrAdd(key));

    internal ref KeyState Change(int slot)
    {
        ref var entry = ref _shards[slot >>> PlaceBits].Entry(slot & (int)PlaceMask);
        if (_changed is not null && !entry.State.Changed)
        {
            entry.State.Changed = true;
            _changed.Add(entry.Key);
        }
        return ref entry.State;
    }

    internal int Find(LinkKey key)
    {
        var (low, high) = ((ulong)key.Hash, (ulong)(key.Hash >> 64));
        var shard = _shards[ShardOf(low)];
        var index = shard.Index;
        var mask = index.Length - 1;
        var tag = Tag(low);
        for (var i = (int)low & mask; index[i] != 0; i = (i + 1) & mask)
        {
            if ((index[i] & ~PlaceMask) != tag) continue;
            var place = (int)(index[i] & PlaceMask) - 1;
            ref readonly var found = ref shard.Entry(place).Key;
            if ((ulong)found.Hash == low && (ulong)(found.Hash >> 64) == high) return Slot(low, place);
        }
        return Nowhere;
    }

    /// <summary>Finds by the key's low 64 bits alone; of two keys that share them, which is next to never, the one seen first.</summary>
    internal int Find(ulong low)
    {
        var shard = _shards[ShardOf(low)];
        var index = shard.Index;
        var mask = index.Length - 1;
        var tag = Tag(low);
        for (var i = (int)low & mask; index[i] != 0; i = (i + 1) & mask)
        {
            if ((index[i] & ~PlaceMask) != tag) continue;
            var place = (int)(index[i] & PlaceMask) - 1;
            if ((ulong)shard.Entry(place).Key.Hash == low) return Slot(low, place);
        }
        return Nowhere;
    }

    internal ref KeyState At(int slot) => ref _shards[slot >>> PlaceBits].Entry(slot & (int)PlaceMask).State;

    internal LinkKey KeyAt(int slot) => _shards[slot >>> PlaceBits].Entry(slot & (int)PlaceMask).Key;

    /// <summary>Forgets keys that can't matter any more. Keeps memory bounded on an endless stream.</summary>
    /// <returns>How many were forgotten.</returns>
    public long Forget(long nowMs)
    {
        var forgotten = 0L;
        foreach (var shard in _shards) forgotten += shard.Forget(nowMs);
        return forgotten;
    }

    private int FindOrAdd(LinkKey key)
    {
        var slot = Find(key);
        if (slot != Nowhere) return slot;
        var low = (ulong)key.Hash;
        return Slot(low, _shards[ShardOf(low)].Add(key));
    }

    private int ShardOf(ulong low) => (int)(low >> 56) & (_shards.Length - 1);

    private int Slot(ulong low, int place) => (ShardOf(low) << PlaceBits) | place;

    /// <summary>Bits of the key that choose neither shard nor place.</summary>
    private static uint Tag(ulong low) => (uint)(low >> 48) << PlaceBits;

    private struct Keyed
    {
        public LinkKey Key;
        public KeyState State;
    }

    private sealed class Shard(int blockBits)
    {
        private const int IndexSmallest = 64;

        private Keyed[][] _blocks = [];

        /// <summary>0 for nothing, else a place plus 1 below eight bits of the key.</summary>
        public uint[] Index { get; private set; } = new uint[IndexSmallest];

        public int Count { get; private set; }

        public ref Keyed Entry(int place) => ref _blocks[place >> blockBits][place & ((1 << blockBits) - 1)];

        /// <summary>Adds a key that is not there.</summary>
        public int Add(LinkKey key)
        {
            if (Count == PlacesMax) throw new InvalidOperationException($"More than {PlacesMax} keys in one part of the table.");
            // At most seven tenths full: a key not there is told after a few neighbours.
            if (Count >= Index.Length / 10 * 7) Reindex(Index.Length * 2);
            var place = Count++;
            var block = place >> blockBits;
            if (block == _blocks.Length) Array.Resize(ref _blocks, Math.Max(4, _blocks.Length * 2));
            _blocks[block] ??= new Keyed[1 << blockBits];
            Entry(place).Key = key;
            Enter(Index, (ulong)key.Hash, place);
            return place;
        }

        /// <summary>Moves the keys that stay together.</summary>
        public int Forget(long nowMs)
        {
            var kept = 0;
            for (var place = 0; place < Count; place++)
            {
                ref var entry = ref Entry(place);
                if (entry.State.Forgettable(nowMs)) continue;
                if (kept != place) Entry(kept) = entry;
                kept++;
            }
            var forgotten = Count - kept;
            if (forgotten == 0) return 0;
            for (var place = kept; place < Count; place++) Entry(place) = default;
            Count = kept;
            for (var block = ((kept - 1) >> blockBits) + 1; block < _blocks.Length; block++) _blocks[block] = null!;
            var size = IndexSmallest;
            while (Count >= size / 10 * 7) size *= 2;
            Reindex(size);
            return forgotten;
        }

        private void Reindex(int size)
        {
            var index = new uint[size];
            for (var place = 0; place < Count; place++) Enter(index, (ulong)Entry(place).Key.Hash, place);
            Index = index;
        }

        private static void Enter(uint[] index, ulong low, int place)
        {
            var mask = index.Length - 1;
            var i = (int)low & mask;
            while (index[i] != 0) i = (i + 1) & mask;
            index[i] = Tag(low) | (uint)(place + 1);
        }
    }
}
