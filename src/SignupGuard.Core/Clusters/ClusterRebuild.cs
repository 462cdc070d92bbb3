using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Clusters;

/// <summary>One tie: the key was promoted and the signup is on it.</summary>
public readonly record struct StoredTie(LinkKey Key, KeyKind Kind, long Ordinal);

/// <summary>A network worked out from its ties alone.</summary>
/// <param name="Members">Oldest ordinal first.</param>
/// <param name="Keys">Those that tie at least two accounts.</param>
public sealed record RebuiltCluster(ClusterFacts Facts, WindowCount LastHour, IReadOnlyList<long> Members, IReadOnlyList<LinkKey> Keys);

/// <summary>
/// Networks worked out anew: the same partition and the same counts as joining them tie by tie gives, whatever the order was. The accounts of
/// the last hour are counted exactly here, where joining estimates them once networks merged.
/// </summary>
public static class ClusterRebuild
{
    /// <param name="ties">All ties of the accounts concerned; repeated ones count once.</param>
    /// <param name="sizeBefore">
    /// Size of the network that had this id; 0 for none. Of the networks before, the largest whose first account is still in keeps its id; others
    /// take the ordinal of their oldest member. So an id is always the ordinal of a member, and no two networks can get the same one.
    /// </param>
    public static IReadOnlyList<RebuiltCluster> FromTies(IEnumerable<StoredTie> ties, Func<long, MemberFacts> member, Func<long, long> sizeBefore)
    {
        // One account alone on a key is no network.
        var byKey = ties.Distinct().GroupBy(tie => tie.Key).Select(group => group.ToList()).Where(group => group.Count > 1).ToList();
        var parents = new Dictionary<long, long>();
        foreach (var group in byKey)
        {
            foreach (var tie in group) parents.TryAdd(tie.Ordinal, tie.Ordinal);
            foreach (var tie in group) parents[Root(parents, tie.Ordinal)] = Root(parents, group[0].Ordinal);
        }
        var keys = byKey.ToLookup(group => Root(parents, group[0].Ordinal));
        return
        [
            .. parents.Keys.GroupBy(ordinal => Root(parents, ordinal)).Select(component => Cluster([.. component.Order()], keys[component.Key], member, sizeBefore)).OrderBy(cluster => cluster.Facts.Id),
        ];
    }

    private static RebuiltCluster Cluster(List<long> members, IEnumerable<List<StoredTie>> keys, Func<long, MemberFacts> member, Func<long, long> sizeBefore)
    {
        var facts = members.ConvertAll(member.Invoke);
        var lastHour = new WindowCount();
        foreach (var atMs in facts.Select(item => item.AtMs).Order()) lastHour.Add(atMs, KeyState.HourMs);
        var groups = KeyGroups.None;
        var tied = new List<LinkKey>();
        foreach (var key in keys)
        {
            groups |= KeyGroupsOf.Kind(key[0].Kind);
            tied.Add(key[0].Key);
        }
        var lastSeenMs = facts.Max(item => item.AtMs);
        return new RebuiltCluster(
            new ClusterFacts
            {
                Id = members.MaxBy(ordinal => (sizeBefore(ordinal), -ordinal)),
                Size = members.Count,
                Denied = facts.Count(item => item.Verdict == Verdict.Deny),
                ConfirmedBad = facts.Count(item => item.Label == Label.Bad),
                ConfirmedGood = facts.Count(item => item.Label == Label.Good),
                LastHour = lastHour.At(lastSeenMs, KeyState.HourMs),
                Groups = groups,
                FirstSeenMs = facts.Min(item => item.AtMs),
                LastSeenMs = lastSeenMs,
            },
            lastHour,
            members,
            tied);
    }

    private static long Root(Dictionary<long, long> parents, long ordinal)
    {
        while (parents[ordinal] != ordinal) ordinal = parents[ordinal] = parents[parents[ordinal]];
        return ordinal;
    }
}
