using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Screening;

/// <summary>
/// Screens a stream in memory with the same code as the live service: what evaluation and backtests run on. One tenant, signups in their
/// order. Memory stays bounded: keys that can't matter any more and signups past the second look's reach are forgotten. Not thread-safe.
/// </summary>
public sealed class MemoryScreening(Policy policy)
{
    /// <summary>Days, in the stream's time, for which an early member can be decided again.</summary>
    public const double SecondLookDays = 30;

    /// <summary>Signups between two rounds of forgetting.</summary>
    private const int ForgetEvery = 100_000;

    private readonly Screener _screener = new(policy);
    private readonly KeyTable _table = new(large: true);
    private readonly LaneState _lane = new();
    private readonly Dictionary<long, Remembered> _signups = [];
    private readonly Queue<(List<KeyTie> Ties, long Ordinal)> _pending = [];
    private readonly HashSet<long> _looksAsked = [];
    private long _nextOrdinal = 1;
    private long _newestMs;
    private long _oldestRemembered = 1;

    private sealed class Remembered(LinkableSignup signup, Verdict verdict)
    {
        public LinkableSignup Signup { get; } = signup;

        public Verdict Verdict { get; set; } = verdict;

        public Label Label { get; set; }
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
        var judgement = _screener.Screen(_table, _lane, signup, ordinal, Clusters.Find);
        _signups.Add(ordinal, new Remembered(signup, judgement.Verdict));
        var ties = _screener.Ties(_table, ordinal);
        if (ties.Count > 0) _pending.Enqueue((ties, ordinal));
        _newestMs = Math.Max(_newestMs, signup.AtMs);
        if (ordinal % ForgetEvery == 0) Forget();
        return (ordinal, judgement);
    }

    /// <summary>What the live worker does between batches: joins networks and decides their members again.</summary>
    /// <param name="changed">Called for each member whose decision changed.</param>
    public void DrainWorker(Action<long, Judgement> changed)
    {
        if (_pending.Count == 0 && _looksAsked.Count == 0) return;
        var changes = new ClusterChanges();
        while (_pending.TryDequeue(out var next)) Clusters.Apply(next.Ties.ConvertAll(Known), Member, changes);
        foreach (var (key, _, ordinal) in changes.Ties) _table.Change(key).Cluster = Clusters.ClusterOf(ordinal);
        // A network asked for by a label may have gone into another since.
        changes.SecondLooks.UnionWith(_looksAsked.Select(id => Clusters.Find(id)!.Id));
        _looksAsked.Clear();
        foreach (var cluster in changes.SecondLooks.Order().ToList())
        {
            foreach (var ordinal in Clusters.Members(cluster)) LookAgain(ordinal, changed);
        }
    }

    /// <summary>Records what an account turned out to be, on its keys and in its network.</summary>
    public void Label(long ordinal, Label label)
    {
        if (!_signups.TryGetValue(ordinal, out var remembered) || remembered.Label == label) return;
        foreach (var key in remembered.Signup.Keys.Present) _table.Change(key).Relabel(remembered.Label, label);
        var changes = new ClusterChanges();
        Clusters.Relabel(ordinal, remembered.Label, label, changes);
        _looksAsked.UnionWith(changes.SecondLooks);
        remembered.Label = label;
    }

    private KeyTie Known(KeyTie tie) => tie with { Ordinals = [.. tie.Ordinals.Where(ordinal => _signups.ContainsKey(ordinal) || Clusters.ClusterOf(ordinal) != 0)] };

    private MemberFacts Member(long ordinal)
    {
        var remembered = _signups[ordinal];
        return new MemberFacts(remembered.Signup.AtMs, remembered.Verdict, remembered.Label);
    }

    private void LookAgain(long ordinal, Action<long, Judgement> changed)
    {
        if (!_signups.TryGetValue(ordinal, out var remembered)) return;
        var again = _screener.LookAgain(_table, _lane, remembered.Signup, Clusters.Find);
        if (!SecondLook.Changes(remembered.Verdict, remembered.Label, again.Verdict)) return;
        Clusters.Redecide(ordinal, remembered.Verdict, again.Verdict);
        remembered.Verdict = again.Verdict;
        changed(ordinal, again);
    }

    private void Forget()
    {
        _table.Forget(_newestMs);
        var reach = _newestMs - (long)(SecondLookDays * KeyState.DayMs);
        while (_signups.TryGetValue(_oldestRemembered, out var oldest) && oldest.Signup.AtMs < reach) _signups.Remove(_oldestRemembered++);
    }
}
