using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Screening;

/// <summary>A signup with what was collected and derived: all that linking and judging need.</summary>
public sealed record LinkableSignup(Signup Signup, SignupSignals Signals, DerivedKeys Keys)
{
    public long AtMs { get; } = Signup.OccurredAt.ToUnixTimeMilliseconds();

    /// <summary>The lists it is on.</summary>
    public ListHits Lists { get; init; } = ListHits.None;
}

/// <summary>
/// Steps 6 and 7 for one signup after another: link, judge, count. The one piece of code that decides live, in a backtest, in the
/// second look and in a test. Not thread-safe: it reuses its link set.
/// </summary>
public sealed class Screener
{
    private readonly Linker _linker;

    public Screener(Policy policy)
    {
        Policy = policy;
        _linker = new Linker(policy.Linkage);
        Links = new LinkSet(policy.Linkage.Rules);
    }

    public Policy Policy { get; }

    /// <summary>Of the signup last screened.</summary>
    public LinkSet Links { get; }

    /// <summary>Screens a new signup and counts it on its keys.</summary>
    /// <param name="ordinal">Place of the signup in the tenant's order; members are remembered by it.</param>
    /// <param name="cluster">The network of a cluster id, or null when there is none by that id.</param>
    public Judgement Screen(KeyTable table, LaneState lane, LinkableSignup signup, long ordinal, Func<long, ClusterFacts?> cluster) =>
        Screen(table, lane, signup, ordinal, cluster, null, out _);

    /// <summary>The same, and what of it is needed to look again; null without <paramref name="standings"/>.</summary>
    internal Judgement Screen(
        KeyTable table,
        LaneState lane,
        LinkableSignup signup,
        long ordinal,
        Func<long, ClusterFacts?> cluster,
        Standings? standings,
        out Standing? standing)
    {
        _linker.Look(table, lane, signup.Keys, signup.AtMs, counted: false, Links);
        var facts = Facts(signup, cluster);
        var anomalous = Policy.Anomalous?.Evaluate(facts).IsTrue ?? false;
        var explained = Explained(signup.Keys.Organisation, facts);
        _linker.Weigh(table, lane, signup.Keys, signup.AtMs, counted: false, explained, Links);
        standing = null;
        var judgement = standings is null ? Policy.Judge(facts) : Policy.Judge(facts, standings, out standing);
        var member = new KeyMember(ordinal, signup.AtMs, signup.Keys.Account, signup.Keys.Organisation ?? 0, Counted: true, anomalous);
        _linker.Count(table, lane, signup.Keys, new KeyEvent(member, explained, facts.DomainRegisteredMs), Links);
        return judgement;
    }

    /// <summary>How the signup last screened is tied to others: its promoted keys, and of those promoted by it, all accounts they remember.</summary>
    public List<KeyTie> Ties(KeyTable table, long ordinal)
    {
        var ties = new List<KeyTie>();
        foreach (var rule in Policy.Linkage.Rules)
        {
            ref readonly var link = ref Links[rule.Index];
            if (link is not { Present: true, Promoted: true }) continue;
            ref readonly var state = ref table.Look(link.Key);
            // An account seen again on the key is a member already, under its first signup.
            var ordinals = new List<long>(link.NewlyPromoted ? state.MemberCount : 1);
            for (var i = state.MemberCount - 1; i >= 0 && (link.NewlyPromoted || ordinals.Count == 0); i--)
            {
                var member = state.MemberAt(i).Ordinal;
                if (link.NewlyPromoted || member == ordinal) ordinals.Add(member);
            }
            if (ordinals.Count > 0) ties.Add(new KeyTie(link.Key, rule.Kind, ordinals));
        }
        return ties;
    }

    /// <summary>Ordinals of the latest other accounts on a key, newest first: examples for an evidence path.</summary>
    public static List<long> Samples(KeyTable table, LinkKey key, long ordinal, int max)
    {
        ref readonly var state = ref table.Look(key);
        var samples = new List<long>(Math.Min(max, state.MemberCount));
        for (var i = state.MemberCount - 1; i >= 0 && samples.Count < max; i--)
        {
            if (state.MemberAt(i).Ordinal != ordinal) samples.Add(state.MemberAt(i).Ordinal);
        }
        return samples;
    }

    /// <summary>The second look: decides a signup again that is counted already, by what is known now. Changes nothing.</summary>
    public Judgement LookAgain(KeyTable table, LaneState lane, LinkableSignup signup, Func<long, ClusterFacts?> cluster)
    {
        _linker.Look(table, lane, signup.Keys, signup.AtMs, counted: true, Links);
        var facts = Facts(signup, cluster);
        _linker.Weigh(table, lane, signup.Keys, signup.AtMs, counted: true, Explained(signup.Keys.Organisation, facts), Links);
        return Policy.Judge(facts);
    }

    /// <summary>The same from what was remembered of the signup; null when the verdict would not be more severe than the one in force.</summary>
    internal Judgement? LookAgain(KeyTable table, LaneState lane, in RememberedSignup signup, Standing standing, Func<long, ClusterFacts?> cluster)
    {
        _linker.LookAgain(table, signup.Keys, signup.AtMs, Links);
        var facts = new Facts(standing, signup.AtMs, signup.DomainRegisteredMs, Links, Largest(cluster), signup.Lists);
        var organisation = Explained(signup.Keys.Organisation, facts) ? signup.Keys.Organisation ?? 0 : 0;
        _linker.Weigh(table, lane, signup.Keys.Account, organisation, signup.AtMs, counted: true, Links);
        return Policy.JudgeAgain(facts, standing, signup.Verdict);
    }

    /// <summary>The network the signup last screened was judged with; null for none.</summary>
    public ClusterFacts? Cluster { get; private set; }

    /// <summary>By the policy's own condition; what is missing explains nothing.</summary>
    private bool Explained(int? organisation, Facts facts) => organisation is not null && (Policy.Explained?.Evaluate(facts).IsTrue ?? false);

    private Facts Facts(LinkableSignup signup, Func<long, ClusterFacts?> cluster) => new(signup.Signup, signup.Signals, Links, Largest(cluster), signup.Lists);

    /// <summary>A signup may touch several networks before the worker joins them: the largest speaks.</summary>
    private ClusterFacts? Largest(Func<long, ClusterFacts?> cluster)
    {
        ClusterFacts? largest = null;
        for (var i = 0; i < Links.Count; i++)
        {
            ref readonly var link = ref Links[i];
            if (!link.Present || link.Cluster == 0 || link.Cluster == largest?.Id) continue;
            if (cluster(link.Cluster) is { } found && (largest is null || found.Size > largest.Size)) largest = found;
        }
        return Cluster = largest;
    }
}
