using System.Collections.Immutable;

namespace SignupGuard.Core.Lists;

/// <summary>What changed in a tenant's lists up to a revision. Applying it twice changes nothing more.</summary>
/// <param name="Revision">Of the tenant's lists, after these changes.</param>
/// <param name="Lists">New, or changed.</param>
/// <param name="RemovedLists">Ids of lists that are gone, with all their entries.</param>
/// <param name="Entries">New, or changed. Of a list that is among <paramref name="Lists"/> or was before; others are passed over.</param>
public sealed record ListChanges(
    long Revision,
    IReadOnlyList<ListDefinition> Lists,
    IReadOnlyList<long> RemovedLists,
    IReadOnlyCollection<ListEntry> Entries,
    IReadOnlyList<(long List, ListKey Key)> RemovedEntries);

/// <summary>
/// All lists of one tenant in memory. Immutable: a change gives a new index, which shares the large table with the one before and keeps what
/// is new in a small one, until that is worth merging. A look-up reads both.
/// </summary>
public sealed class ListIndex
{
    public static readonly ListIndex Empty = new(0, [], EntryTable.Empty, EntryTable.Empty);

    /// <summary>Changes are merged into the large table when they are more than this, and more than a sixteenth of it.</summary>
    public const int RecentMin = 4_096;

    private const int RecentShare = 16;

    /// <summary>No expiry.</summary>
    private const long Never = long.MaxValue;

    /// <summary>By position; null where a list is gone. Positions stay, so that entries need not be touched.</summary>
    private readonly ImmutableArray<ListDefinition?> _lists;

    private readonly EntryTable _all;
    private readonly EntryTable _recent;
    private readonly int _types;

    private ListIndex(long revision, ImmutableArray<ListDefinition?> lists, EntryTable all, EntryTable recent)
    {
        Revision = revision;
        _lists = lists;
        _all = all;
        _recent = recent;
        _types = all.Types | recent.Types;
        NetworkLengths = all.NetworkLengths | recent.NetworkLengths;
        BinLengths = all.BinLengths | recent.BinLengths;
    }

    /// <summary>Of the tenant's lists: every change of them is a higher one.</summary>
    public long Revision { get; }

    public bool IsEmpty => _types == 0;

    /// <summary>Rows in memory: entries, and removals not merged yet.</summary>
    public int Count => _all.Count + _recent.Count;

    public IEnumerable<ListDefinition> Lists => _lists.OfType<ListDefinition>();

    /// <summary>Whether there may be entries of a type.</summary>
    public bool Has(ListType type) => (_types & (1 << (int)type)) != 0;

    /// <summary>Bit by length, of 128: of networks that may be on a list.</summary>
    internal UInt128 NetworkLengths { get; }

    /// <summary>Bit by length: of card ranges that may be on a list.</summary>
    internal int BinLengths { get; }

    /// <summary>The index after changes.</summary>
    public ListIndex Apply(ListChanges changes)
    {
        var lists = _lists.ToBuilder();
        var positions = new Dictionary<long, int>();
        for (var i = 0; i < lists.Count; i++)
        {
            if (lists[i] is { } list) positions[list.Id] = i;
        }
        foreach (var list in changes.Lists)
        {
            if (positions.TryGetValue(list.Id, out var at))
            {
                lists[at] = list;
            }
            else
            {
                positions[list.Id] = lists.Count;
                lists.Add(list);
            }
        }
        foreach (var gone in changes.RemovedLists)
        {
            if (positions.Remove(gone, out var at)) lists[at] = null;
        }

        var rows = new Dictionary<(int List, ListKey Key), EntryTable.Row>(_recent.Count + changes.Entries.Count + changes.RemovedEntries.Count);
        foreach (var row in _recent.All()) rows[(row.List, row.Key)] = row;
        foreach (var entry in changes.Entries)
        {
            if (positions.TryGetValue(entry.List, out var at)) rows[(at, entry.Key)] = new EntryTable.Row(at, entry.Key, entry.ExpiresMs ?? Never, entry.Reason, IsRemoved: false);
        }
        foreach (var (list, key) in changes.RemovedEntries)
        {
            if (positions.TryGetValue(list, out var at)) rows[(at, key)] = new EntryTable.Row(at, key, Never, null, IsRemoved: true);
        }
        var types = lists.ToImmutable();
        ListType TypeOf(int position) => types[position]?.Type ?? default;
        if (rows.Count <= Math.Max(RecentMin, _all.Count / RecentShare))
            return new ListIndex(changes.Revision, types, _all, EntryTable.Build(rows.Values, TypeOf));

        var merged = new List<EntryTable.Row>(_all.Count + rows.Count);
        foreach (var row in _all.All())
        {
            if (types[row.List] is not null && !rows.ContainsKey((row.List, row.Key))) merged.Add(row);
        }
        merged.AddRange(rows.Values.Where(row => !row.IsRemoved && types[row.List] is not null));
        return new ListIndex(changes.Revision, types, EntryTable.Build(merged, TypeOf), EntryTable.Empty);
    }

    /// <summary>Adds the lists of a type that have an entry of this key in force, but those that were found before by a longer one.</summary>
    internal void Find(ListType type, ListKey key, long atMs, ref List<ListHit>? found)
    {
        Add(_recent, type, key, atMs, isBelow: false, ref found);
        Add(_all, type, key, atMs, isBelow: true, ref found);
    }

    private void Add(EntryTable table, ListType type, ListKey key, long atMs, bool isBelow, ref List<ListHit>? found)
    {
        var finder = table.Find(key);
        while (finder.Next(out var row))
        {
            if (row.IsRemoved || row.ExpiresMs <= atMs || _lists[row.List] is not { } list || list.Type != type) continue;
            if (isBelow && IsCovered(row)) continue;
            if (found is not null && found.Exists(hit => hit.List == list.Name)) continue;
            (found ??= []).Add(new ListHit(list.Name, list.Effect, list.Type, key, row.Reason));
        }
    }

    /// <summary>Whether the table above has another row in its place.</summary>
    private bool IsCovered(in EntryTable.Row below)
    {
        var finder = _recent.Find(below.Key);
        while (finder.Next(out var row))
        {
            if (row.List == below.List) return true;
        }
        return false;
    }
}
