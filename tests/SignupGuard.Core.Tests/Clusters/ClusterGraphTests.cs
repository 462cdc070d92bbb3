using CsCheck;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Tests.Clusters;

public sealed class ClusterGraphTests
{
    private static readonly KeyKind Card = KeyKind.Of(LinkAttribute.Card);
    private static readonly KeyKind Pair = KeyKind.Of(LinkAttribute.Fingerprint, LinkAttribute.Net);

    private static KeyTie Tie(int key, params long[] ordinals) => new(new LinkKey((UInt128)(key + 1)), key % 2 == 0 ? Card : Pair, ordinals);

    private static MemberFacts Member(long ordinal) => new(ordinal * 1000, ordinal % 3 == 0 ? Verdict.Deny : Verdict.Allow, Label.None);

    private static ClusterGraph Graph(IEnumerable<KeyTie> ties)
    {
        var graph = new ClusterGraph();
        foreach (var tie in ties) graph.Apply([tie], Member, new ClusterChanges());
        return graph;
    }

    private static string Partition(ClusterGraph graph) =>
        string.Join(" | ", graph.Clusters.Select(cluster => string.Join(',', graph.Members(cluster.Id))).Order(StringComparer.Ordinal));

    private static readonly Gen<KeyTie[]> AnyTies =
        Gen.Select(Gen.Int[0, 12], Gen.Long[1, 40].Array[1, 5]).Select((key, ordinals) => Tie(key, [.. ordinals.Distinct()])).Array[0, 25];

    [Test]
    public void Accounts_on_one_promoted_key_are_one_network_and_a_lone_account_is_none()
    {
        var graph = Graph([Tie(1, 1, 2, 3), Tie(2, 9)]);
        Assert.That(Partition(graph), Is.EqualTo("1,2,3"));
        Assert.That(graph.ClusterOf(9), Is.Zero);
        var facts = graph.Clusters.Single();
        Assert.That((facts.Size, facts.Denied, facts.KeyGroupCount), Is.EqualTo((3L, 1L, 2)));
    }

    [Test]
    public void A_tie_between_two_networks_merges_them_and_says_so()
    {
        var graph = Graph([Tie(0, 1, 2), Tie(2, 3, 4, 5)]);
        var changes = new ClusterChanges();
        graph.Apply([Tie(0, 3)], Member, changes);
        Assert.That(Partition(graph), Is.EqualTo("1,2,3,4,5"));
        Assert.That(changes.Merges, Has.Count.EqualTo(1));
        Assert.That(graph.Clusters.Single().Denied, Is.EqualTo(1));
    }

    [Test]
    public void The_order_of_ties_does_not_change_the_networks() =>
        Gen.Select(AnyTies, Gen.Int).Sample((ties, seed) =>
        {
            // A key known with one account only waits for a second, so order matters to it until then: give both orders all of a key at once.
            var whole = ties.GroupBy(tie => tie.Key).Select(group => group.First() with { Ordinals = [.. group.SelectMany(tie => tie.Ordinals).Distinct()] }).ToArray();
            var shuffled = whole.ToArray();
            new Random(seed).Shuffle(shuffled);
            return Partition(Graph(whole)) == Partition(Graph(shuffled));
        });

    [Test]
    public void Ties_applied_twice_change_nothing() =>
        AnyTies.Sample(ties =>
        {
            var once = Graph(ties);
            var before = once.Clusters.OrderBy(cluster => cluster.Id).ToList();
            once.Apply(ties.Where(tie => tie.Ordinals.Count > 1), Member, new ClusterChanges());
            return once.Clusters.OrderBy(cluster => cluster.Id).ToList().SequenceEqual(before);
        });

    [Test]
    public void Aggregates_are_those_of_the_members() =>
        AnyTies.Sample(ties =>
        {
            var graph = Graph(ties);
            return graph.Clusters.All(cluster =>
            {
                var members = graph.Members(cluster.Id).Select(Member).ToList();
                return cluster.Size == members.Count
                    && cluster.Denied == members.Count(member => member.Verdict == Verdict.Deny)
                    && cluster.FirstSeenMs == members.Min(member => member.AtMs)
                    && cluster.LastSeenMs == members.Max(member => member.AtMs);
            });
        });

    [Test]
    public void Stored_ties_read_back_the_same() =>
        AnyTies.Sample(ties =>
        {
            var copy = KeyTieCodec.Decode(KeyTieCodec.Encode(ties));
            return copy.Count == ties.Length && copy.Zip(ties).All(pair => pair.First.Key == pair.Second.Key && pair.First.Kind == pair.Second.Kind && pair.First.Ordinals.SequenceEqual(pair.Second.Ordinals));
        });

    [Test]
    public void A_second_look_is_due_at_growing_sizes_and_costs_a_small_multiple_of_the_members()
    {
        var graph = new ClusterGraph();
        var looked = 0L;
        for (var ordinal = 2; ordinal <= 5_000; ordinal++)
        {
            var changes = new ClusterChanges();
            graph.Apply([Tie(0, 1, ordinal)], Member, changes);
            if (changes.SecondLooks.Count > 0) looked += graph.Clusters.Single().Size;
        }
        Assert.That(looked, Is.InRange(5_000, 8 * 5_000));
    }

    [Test]
    public void What_was_cleared_is_not_decided_again_and_statistics_never_soften()
    {
        Assert.That(SecondLook.Changes(Verdict.Allow, Label.None, Verdict.Deny), Is.True);
        Assert.That(SecondLook.Changes(Verdict.Allow, Label.Good, Verdict.Deny), Is.False);
        Assert.That(SecondLook.Changes(Verdict.Deny, Label.None, Verdict.Allow), Is.False);
    }
}
