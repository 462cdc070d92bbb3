using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Screening;

/// <summary>
/// Screens a stream in memory with the same code as the live service: what evaluation and backtests run on. One tenant, signups in their
/// order. Memory stays bounded: keys that can't matter any more and signups past the second look's reach are forgotten. Not thread-safe.
/// </summary>
public sealed class MemoryScreening
{
    /// <summary>Days, in the stream's time, for which an early member can be decided again.</summary>
    public const double SecondLookDays = 30;

    /// <summary>Signups between two rounds of forgetting.</summary>
    private const int ForgetEvery = 100_000;

    private readonly Screener _screener;
    private readonly Standings? _standings;
    private readonly KeyTable _table = new(large: true);
    private readonly LaneState _lane = new();
    private readonly RememberedSignups _signups = new();
    private readonly Queue<List<KeyTie>> _pending = [];
    private readonly HashSet<long> _looksAsked = [];
    private readonly ClusterChanges _changes = new();
    private readonly Func<long, ClusterFacts?> _cluster;
    private readonly Func<long, MemberFacts> _member;
    private long _nextOrdinal = 1;
    private long _newestMs;

    public MemoryScreening(Policy policy)
    {
        _screener = new Screener(policy);
        _standings = new Standings(policy) is { Possible: true } possible ? possible : null;
        _cluster = Clusters.Find;
        _member = Member;
    }

    public ClusterGraph Clusters { get; } = new();

    /// <summary>Keys in memory.</summary>
    public long Keys => _table.Count;

    /// <summary>Links of the signup last screened.</summary>
    public LinkSet Links => _screener.Links;

    /// <summary>The network it was judged with; null for none.</summary>
    public ClusterFacts? Cluster => _screener.Cluster;

    /// <summary>Screens the next signup; its ordinal counts from 1.</summary>
    public (long Ordinal, Judgement Judgement) Screen(LinkableSignup signup)
    {
        var ordinal = _nextOrdinal++;
        var judgement = _screener.Screen(_table, _lane, signup, ordinal, _cluster, _standings, out var standing);
        _signups.Add(new RememberedSignup(signup, standing, judgement.Verdict));
        var ties = _screener.Ties(_table, ordinal);
        if (ties.Count > 0) _pending.Enqueue(ties);
        _newestMs = Math.Max(_newestMs, signup.AtMs);
        if (ordinal % ForgetEvery == 0) Forget();
        return (ordinal, judgement);
    }

    /// <summary>What the live worker does between batches: joins networks and decides their members again.</summary>
    /// <param name="changed">Called for each member whose decision changed.</param>
    public void DrainWorker(Action<long, Judgement> changed)
    {
        if (_pending.Count == 0 && _looksAsked.Count == 0) return;
        _changes.Clear();
        while (_pending.TryDequeue(out var ties))
        {
            for (var i = 0; i < ties.Count; i++) ties[i] = Known(ties[i]);
            Clusters.Apply(ties, _member, _changes);
        }
        foreach (var (key, _, ordinal) in _changes.Ties) _table.Change(key).Cluster = Clusters.ClusterOf(ordinal);
        // A network asked for by a label may have gone into another since.
        if (_looksAsked.Count > 0) _changes.SecondLooks.UnionWith(_looksAsked.Select(id => Clusters.Find(id)!.Id));
        _looksAsked.Clear();
        if (_changes.SecondLooks.Count == 0) return;
        foreach (var cluster in _changes.SecondLooks.Order().ToList())
        {
            var members = Clusters.Members(cluster);
            for (var i = 0; i < members.Count; i++) LookAgain(members[i], changed);
        }
    }

    /// <summary>Records what an account turned out to be, on its keys and in its network. Keys forgotten since are not made again: nobody is on them.</summary>
    public void Label(long ordinal, Label label)
    {
        if (!_signups.Contains(ordinal)) return;
        ref var remembered = ref _signups[ordinal];
        if (remembered.Label == label) return;
        foreach (var low in remembered.Keys.Low)
        {
            var slot = _table.Find(low);
            if (slot != KeyTable.Nowhere) _table.Change(slot).Relabel(remembered.Label, label);
        }
        _changes.Clear();
        Clusters.Relabel(ordinal, remembered.Label, label, _changes);
        _looksAsked.UnionWith(_changes.SecondLooks);
        remembered.Label = label;
    }

    private KeyTie Known(KeyTie tie)
    {
        for (var i = 0; i < tie.Ordinals.Count; i++)
        {
            if (!IsKnown(tie.Ordinals[i])) return tie with { Ordinals = [.. tie.Ordinals.Where(IsKnown)] };
        }
        return tie;
    }

    private bool IsKnown(long ordinal) => _signups.Contains(ordinal) || Clusters.ClusterOf(ordinal) != 0;

    private MemberFacts Member(long ordinal)
    {
        ref readonly var remembered = ref _signups[ordinal];
        return new MemberFacts(remembered.AtMs, remembered.Verdict, remembered.Label);
    }

    private void LookAgain(long ordinal, Action<long, Judgement> changed)
    {
        if (!_signups.Contains(ordinal)) return;
        ref var remembered = ref _signups[ordinal];
        if (!SecondLook.CanChange(remembered.Verdict, remembered.Label)) return;
        var again = remembered.Standing is { } standing
            ? _screener.LookAgain(_table, _lane, remembered, standing, _cluster)
            : _screener.LookAgain(_table, _lane, remembered.Whole!, _cluster);
        if (again is null || !SecondLook.Changes(remembered.Verdict, remembered.Label, again.Verdict)) return;
        Clusters.Redecide(ordinal, remembered.Verdict, again.Verdict);
        remembered.Verdict = again.Verdict;
        changed(ordinal, again);
    }

    private void Forget()
    {
        _table.Forget(_newestMs);
        _signups.Forget(_newestMs - (long)(SecondLookDays * KeyState.DayMs));
    }
}
