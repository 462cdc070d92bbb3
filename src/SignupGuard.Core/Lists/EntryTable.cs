using System.Runtime.InteropServices;

namespace SignupGuard.Core.Lists;

/// <summary>
/// Entries by key: open addressing in one array, three quarters full, without an object per entry: 43 bytes each, and the texts of reasons once.
/// Immutable once built.
/// </summary>
internal sealed class EntryTable
{
    public static readonly EntryTable Empty = new([], []);

    private const double FillMax = 0.75;

    private readonly Slot[] _slots;
    private readonly string[] _reasons;

    private EntryTable(Slot[] slots, string[] reasons) => (_slots, _reasons) = (slots, reasons);

    /// <summary>32 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        public ulong High;
        public ulong Low;
        public long ExpiresMs;

        /// <summary>Position of the list in the index, from 1; 0 where there is no entry.</summary>
        public int List;

        /// <summary>Position of the reason, from 1; 0 for none, <see cref="Removed"/> where the entry below is gone.</summary>
        public int Reason;
    }

    private const int Removed = -1;

    /// <summary>An entry, or the removal of one of a table below.</summary>
    /// <param name="List">Position of the list in the index, from 0.</param>
    internal readonly record struct Row(int List, ListKey Key, long ExpiresMs, string? Reason, bool IsRemoved);

    /// <summary>Entries and removals.</summary>
    public int Count { get; private init; }

    /// <summary>Bit by <see cref="ListType"/>: types that have entries. A type without has none to look for.</summary>
    public int Types { get; private init; }

    /// <summary>Bit by length: prefixes of networks, in 128 bits.</summary>
    public UInt128 NetworkLengths { get; private init; }

    /// <summary>Bit by length: of card ranges.</summary>
    public int BinLengths { get; private init; }

    /// <param name="rows">Of one list and key at most one.</param>
    /// <param name="type">Of a list, by its position.</param>
    public static EntryTable Build(IReadOnlyCollection<Row> rows, Func<int, ListType> type)
    {
        if (rows.Count == 0) return Empty;
        var slots = new Slot[(int)(rows.Count / FillMax) + 1];
        var reasons = new List<string>();
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var (types, lengths, bins) = (0, UInt128.Zero, 0);
        foreach (var row in rows)
        {
            var (high, low) = Halves(row.Key);
            var at = Home(high, low, slots.Length);
            while (slots[at].List != 0) at = Next(at, slots.Length);
            slots[at] = new Slot
            {
                High = high,
                Low = low,
                ExpiresMs = row.ExpiresMs,
                List = row.List + 1,
                Reason = row.IsRemoved ? Removed : ReasonOf(row.Reason),
            };
            if (row.IsRemoved) continue;
            var of = type(row.List);
            types |= 1 << (int)of;
            if (of == ListType.Bin) bins |= 1 << ((64 - (int)ulong.LeadingZeroCount(low) + 7) / 8);
            // The lowest one marks a network's length; a whole address is taken for one of 127, which costs a look-up and no more.
            if (of == ListType.Ip) lengths |= UInt128.One << (127 - (int)UInt128.TrailingZeroCount(row.Key.Bits));
        }
        return new EntryTable(slots, [.. reasons])
        {
            Count = rows.Count,
            Types = types,
            NetworkLengths = lengths,
            BinLengths = bins,
        };

        int ReasonOf(string? reason)
        {
            if (reason is null) return 0;
            ref var position = ref CollectionsMarshal.GetValueRefOrAddDefault(known, reason, out var exists);
            if (exists) return position;
            reasons.Add(reason);
            return position = reasons.Count;
        }
    }

    /// <summary>Entries of a key, on whatever list.</summary>
    public Finder Find(ListKey key) => new(this, key);

    public IEnumerable<Row> All()
    {
        foreach (var slot in _slots)
        {
            if (slot.List != 0) yield return Read(slot);
        }
    }

    private Row Read(in Slot slot) =>
        new(slot.List - 1, new ListKey(new UInt128(slot.High, slot.Low)), slot.ExpiresMs, slot.Reason > 0 ? _reasons[slot.Reason - 1] : null, slot.Reason == Removed);

    private static (ulong High, ulong Low) Halves(ListKey key) => ((ulong)(key.Bits >> 64), (ulong)key.Bits);

    /// <summary>Multiplied and folded: packed keys differ in few bits.</summary>
    private static int Home(ulong high, ulong low, int slots)
    {
        var upper = Math.BigMul(low ^ 0x9E3779B97F4A7C15UL, high ^ 0xD6E8FEB86659FD93UL, out var lower);
        var mixed = (upper ^ lower ^ low) * 0x9E3779B97F4A7C15UL;
        return (int)Math.BigMul(mixed, (ulong)slots, out _);
    }

    private static int Next(int at, int slots) => at + 1 == slots ? 0 : at + 1;

    /// <summary>Walks the entries of one key.</summary>
    public ref struct Finder
    {
        private readonly EntryTable _table;
        private readonly ulong _high;
        private readonly ulong _low;
        private int _at;

        internal Finder(EntryTable table, ListKey key)
        {
            _table = table;
            (_high, _low) = Halves(key);
            _at = table._slots.Length == 0 ? -1 : Home(_high, _low, table._slots.Length);
        }

        public bool Next(out Row row)
        {
            while (_at >= 0)
            {
                ref readonly var slot = ref _table._slots[_at];
                if (slot.List == 0) break;
                _at = EntryTable.Next(_at, _table._slots.Length);
                if (slot.High != _high || slot.Low != _low) continue;
                row = _table.Read(slot);
                return true;
            }
            row = default;
            return false;
        }
    }
}
