using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Clusters;

/// <summary>What an account turned out to be, by outcome or review.</summary>
public enum Label : short
{
    None = 0,
    Bad = 1,
    Good = 2,
}

/// <summary>What a cluster has to know of a signup that joins it.</summary>
public readonly record struct MemberFacts(long AtMs, Verdict Verdict, Label Label);

/// <summary>One promoted key of a signup, with the signups the key is known to tie together (the newest one included).</summary>
public sealed record KeyTie(LinkKey Key, KeyKind Kind, IReadOnlyList<long> Ordinals);

/// <summary>A merge of two clusters: the smaller went into the larger, by one key.</summary>
public sealed record ClusterMerge(long Into, long From, LinkKey Key, long Ordinal);

/// <summary>What applying ties changed; the caller stores it.</summary>
public sealed class ClusterChanges
{
    /// <summary>New ties between a key and a signup.</summary>
    public List<(LinkKey Key, KeyKind Kind, long Ordinal)> Ties { get; } = [];

    public List<ClusterMerge> Merges { get; } = [];

    /// <summary>Clusters that were made, grew or merged, by id.</summary>
    public HashSet<long> Touched { get; } = [];

    /// <summary>Clusters whose members are to be decided again.</summary>
    public HashSet<long> SecondLooks { get; } = [];

    internal void Clear()
    {
        Ties.Clear();
        Merges.Clear();
        Touched.Clear();
        SecondLooks.Clear();
    }
}

/// <summary>
/// The networks: connected components of the graph of signups and promoted keys. Two signups are joined only through a promoted key, never
/// through a hub alone. Pure and in memory; over a database, a worker loads the part it needs. Not thread-safe.
/// </summary>
public sealed class ClusterGraph
{
    private readonly Dictionary<long, Node> _clusters = [];
    private readonly Dictionary<long, long> _signups = [];
    private readonly Dictionary<LinkKey, long> _keys = [];

    /// <summary>Clusters in force.</summary>
    public IEnumerable<ClusterFacts> Clusters => _clusters.Values.Where(node => node.Parent is null).Select(node => node.Facts());

    /// <summary>The cluster of an id, also of one merged away since; null when there is none.</summary>
    public ClusterFacts? Find(long id) => _clusters.ContainsKey(id) ? Root(id).Facts() : null;

    /// <summary>The cluster of a signup; 0 when it is in none.</summary>
    public long ClusterOf(long ordinal) => _signups.TryGetValue(ordinal, out var id) ? Root(id).Id : 0;

    public long ClusterOf(LinkKey key) => _keys.TryGetValue(key, out var id) ? Root(id).Id : 0;

    /// <summary>Members known to this graph, oldest first.</summary>
    public IReadOnlyList<long> Members(long cluster) => Root(cluster).Sorted();

    /// <summary>Takes in what is stored: a cluster with its aggregates. Its members and keys follow by the other overloads.</summary>
    public void Load(ClusterFacts facts, WindowCount lastHour) => _clusters[facts.Id] = new Node(facts, lastHour);

    public void LoadMember(long ordinal, long cluster)
    {
        _signups[ordinal] = cluster;
        Root(cluster).Know(ordinal);
    }

    public void LoadKey(LinkKey key, long cluster) => _keys[key] = cluster;

    /// <summary>The running count behind <see cref="ClusterFacts.LastHour"/>, to be stored.</summary>
    public WindowCount LastHour(long cluster) => Root(cluster).LastHour;

    /// <summary>
    /// Ties signups together by their promoted keys. Idempotent: a tie applied again changes nothing.
    /// </summary>
    /// <param name="member">Facts of a signup that joins; asked once for each that is new.</param>
    public void Apply(IEnumerable<KeyTie> ties, Func<long, MemberFacts> member, ClusterChanges changes)
    {
        foreach (var tie in ties)
        {
            // One account alone is no network.
            if (tie.Ordinals.Count < 2 && !_keys.ContainsKey(tie.Key)) continue;
            for (var i = 0; i < tie.Ordinals.Count; i++) Tie(tie, tie.Ordinals[i], member, changes);
        }
    }

    private void Tie(KeyTie tie, long ordinal, Func<long, MemberFacts> member, ClusterChanges changes)
    {
        var ofKey = _keys.TryGetValue(tie.Key, out var keyCluster) ? Root(keyCluster) : null;
        var ofSignup = _signups.TryGetValue(ordinal, out var signupCluster) ? Root(signupCluster) : null;
        if (ofKey is null && ofSignup is null)
        {
            ofSignup = new Node(ordinal);
            _clusters.Add(ordinal, ofSignup);
            Join(ofSignup, ordinal, member, changes);
        }
        else if (ofSignup is null)
        {
            Join(ofSignup = ofKey!, ordinal, member, changes);
        }
        if (ofKey is null)
        {
            _keys.Add(tie.Key, ofSignup.Id);
            ofKey = ofSignup;
        }
        if (ofKey != ofSignup) ofKey = Merge(ofKey, ofSignup, tie.Key, ordinal, changes);
        ofKey.Hold(KeyGroupsOf.Kind(tie.Kind));
        changes.Touched.Add(ofKey.Id);
        changes.Ties.Add((tie.Key, tie.Kind, ordinal));
    }

    private void Join(Node node, long ordinal, Func<long, MemberFacts> member, ClusterChanges changes)
    {
        var facts = member(ordinal);
        _signups[ordinal] = node.Id;
        node.Join(ordinal, facts);
        if (IsStep(node.Size)) changes.SecondLooks.Add(node.Id);
    }

    private static Node Merge(Node one, Node two, LinkKey key, long ordinal, ClusterChanges changes)
    {
        // The smaller goes into the larger, so that relabelling stays cheap; of equals the older stays.
        var (into, from) = one.Size > two.Size || (one.Size == two.Size && one.Id < two.Id) ? (one, two) : (two, one);
        var before = into.Size;
        into.Take(from);
        from.Parent = into;
        changes.Merges.Add(new ClusterMerge(into.Id, from.Id, key, ordinal));
        changes.Touched.Remove(from.Id);
        changes.Touched.Add(into.Id);
        var due = changes.SecondLooks.Remove(from.Id);
        if (due || StepsPassed(before, into.Size)) changes.SecondLooks.Add(into.Id);
        return into;
    }

    /// <summary>A member was decided otherwise.</summary>
    public void Redecide(long ordinal, Verdict before, Verdict after)
    {
        if (!_signups.TryGetValue(ordinal, out var id)) return;
        var node = Root(id);
        node.Count(before, Label.None, -1);
        node.Count(after, Label.None, 1);
    }

    /// <summary>A member turned out bad or good.</summary>
    public void Relabel(long ordinal, Label before, Label after, ClusterChanges changes)
    {
        if (!_signups.TryGetValue(ordinal, out var id)) return;
        var node = Root(id);
        node.CountLabel(before, -1);
        node.CountLabel(after, 1);
        changes.Touched.Add(node.Id);
        if (after == Label.Bad) changes.SecondLooks.Add(node.Id);
    }

    /// <summary>
    /// Sizes at which all members are decided again: every one up to 12, where the first convincing evidence comes in, then each quarter more.
    /// All looks together cost a small multiple of the members.
    /// </summary>
    private static bool IsStep(long size) => size > 1 && (size <= EveryUpTo || (long)(Math.Log(size) / GrowthLog) != (long)(Math.Log(size - 1) / GrowthLog));

    private static bool StepsPassed(long before, long after)
    {
        for (var size = before + 1; size <= after && size <= EveryUpTo; size++)
        {
            if (IsStep(size)) return true;
        }
        return (long)(Math.Log(after) / GrowthLog) != (long)(Math.Log(Math.Max(1, before)) / GrowthLog);
    }

    private const int EveryUpTo = 12;
    private static readonly double GrowthLog = Math.Log(1.25);

    private Node Root(long id)
    {
        var node = _clusters[id];
        while (node.Parent is { } parent)
        {
            // Shorten the chain on the way.
            node.Parent = parent.Parent ?? parent;
            node = parent;
        }
        return node;
    }

    private sealed class Node
    {
        private readonly List<long> _members = [];
        private WindowCount _lastHour;

        /// <summary>Worked out when asked for, and kept until something changes: every signup on the network's keys asks.</summary>
        private ClusterFacts? _facts;

        public Node(long id)
        {
            Id = id;
            FirstSeenMs = long.MaxValue;
        }

        public Node(ClusterFacts facts, WindowCount lastHour)
        {
            Id = facts.Id;
            Size = facts.Size;
            _denied = facts.Denied;
            _bad = facts.ConfirmedBad;
            _good = facts.ConfirmedGood;
            Groups = facts.Groups;
            FirstSeenMs = facts.FirstSeenMs;
            LastSeenMs = facts.LastSeenMs;
            _lastHour = lastHour;
        }

        private long _denied;
        private long _bad;
        private long _good;

        public long Id { get; }

        public Node? Parent { get; set; }

        public long Size { get; private set; }

        public KeyGroups Groups { get; private set; }

        public long FirstSeenMs { get; private set; }

        public long LastSeenMs { get; private set; }

        public WindowCount LastHour => _lastHour;

        /// <summary>Members known to the graph, oldest first; good until one joins.</summary>
        public List<long> Sorted()
        {
            for (var i = 1; i < _members.Count; i++)
            {
                if (_members[i] > _members[i - 1]) continue;
                _members.Sort();
                break;
            }
            return _members;
        }

        /// <summary>Takes in a stored member, who is counted already.</summary>
        public void Know(long ordinal) => _members.Add(ordinal);

        public void Join(long ordinal, in MemberFacts member)
        {
            _members.Add(ordinal);
            Size++;
            Count(member.Verdict, member.Label, 1);
            FirstSeenMs = Math.Min(FirstSeenMs, member.AtMs);
            LastSeenMs = Math.Max(LastSeenMs, member.AtMs);
            _lastHour.Add(member.AtMs, KeyState.HourMs);
        }

        public void Hold(KeyGroups groups)
        {
            if ((Groups | groups) == Groups) return;
            Groups |= groups;
            _facts = null;
        }

        public void Count(Verdict verdict, Label label, int by)
        {
            if (verdict == Verdict.Deny) _denied += by;
            CountLabel(label, by);
        }

        public void CountLabel(Label label, int by)
        {
            _facts = null;
            if (label == Label.Bad) _bad += by;
            if (label == Label.Good) _good += by;
        }

        public void Take(Node from)
        {
            _facts = null;
            Size += from.Size;
            _denied += from._denied;
            _bad += from._bad;
            _good += from._good;
            Groups |= from.Groups;
            FirstSeenMs = Math.Min(FirstSeenMs, from.FirstSeenMs);
            LastSeenMs = Math.Max(LastSeenMs, from.LastSeenMs);
            _members.AddRange(from._members);
            from._members.Clear();
            from._members.Capacity = 0;
            // The later window is the one that matters; the earlier one's accounts in it are added.
            if (from._lastHour.StartMs > _lastHour.StartMs) (_lastHour, from._lastHour) = (from._lastHour, _lastHour);
            _lastHour.Running += (int)Math.Min(int.MaxValue / 2, from._lastHour.At(LastSeenMs, KeyState.HourMs));
        }

        public ClusterFacts Facts() => _facts ??= new()
        {
            Id = Id,
            Size = Size,
            Denied = _denied,
            ConfirmedBad = _bad,
            ConfirmedGood = _good,
            LastHour = _lastHour.At(LastSeenMs, KeyState.HourMs),
            Groups = Groups,
            FirstSeenMs = FirstSeenMs,
            LastSeenMs = LastSeenMs,
        };
    }
}
