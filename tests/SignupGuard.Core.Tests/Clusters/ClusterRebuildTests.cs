using CsCheck;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Tests.Clusters;

public sealed class ClusterRebuildTests
{
    private static readonly KeyKind[] Kinds = [KeyKind.Of(LinkAttribute.Card), KeyKind.Of(LinkAttribute.Device), KeyKind.Of(LinkAttribute.Fingerprint, LinkAttribute.Net)];

    private static MemberFacts Member(long ordinal) =>
        new(ordinal * 700_000, (Verdict)(1 + (ordinal % 3)), (Label)(ordinal % 5 % 3));

    private static readonly Gen<KeyTie[]> AnyTies = Gen.Select(Gen.Int[0, 14], Gen.Long[1, 45].Array[1, 5])
        .Select((key, ordinals) => new KeyTie(new LinkKey((UInt128)(key + 1)), Kinds[key % Kinds.Length], [.. ordinals.Distinct()]))
        .Array[0, 30];

    [Test]
    public void Networks_worked_out_from_stored_ties_are_those_that_joining_tie_by_tie_made() =>
        AnyTies.Sample(ties =>
        {
            var graph = new ClusterGraph();
            var stored = new List<StoredTie>();
            foreach (var tie in ties)
            {
                var changes = new ClusterChanges();
                graph.Apply([tie], Member, changes);
                stored.AddRange(changes.Ties.Select(item => new StoredTie(item.Key, item.Kind, item.Ordinal)));
            }
            var rebuilt = ClusterRebuild.FromTies(stored, Member, id => graph.Clusters.FirstOrDefault(cluster => cluster.Id == id)?.Size ?? 0);
            var live = graph.Clusters.OrderBy(cluster => cluster.Id).ToList();
            return rebuilt.Select(cluster => cluster.Facts with { LastHour = 0 }).SequenceEqual(live.Select(cluster => cluster with { LastHour = 0 }))
                && rebuilt.All(cluster => cluster.Members.SequenceEqual(graph.Members(cluster.Facts.Id)) && cluster.Keys.All(key => graph.ClusterOf(key) == cluster.Facts.Id));
        });

    [Test]
    public void The_id_of_a_network_is_the_ordinal_of_a_member_whatever_comes_apart() =>
        Gen.Select(AnyTies, Gen.Int[0, 14]).Sample((ties, without) =>
        {
            var stored = ties.SelectMany(tie => tie.Ordinals.Select(ordinal => new StoredTie(tie.Key, tie.Kind, ordinal))).ToList();
            var before = ClusterRebuild.FromTies(stored, Member, _ => 0).ToDictionary(cluster => cluster.Facts.Id, cluster => cluster.Facts.Size);
            var after = ClusterRebuild.FromTies(stored.Where(tie => tie.Key.Hash != (UInt128)(without + 1)), Member, id => before.GetValueOrDefault(id));
            return after.All(cluster => cluster.Members.Contains(cluster.Facts.Id)) && after.Select(cluster => cluster.Facts.Id).Distinct().Count() == after.Count;
        });

    [Test]
    public void A_lone_account_on_a_key_is_no_network()
    {
        var tie = new StoredTie(new LinkKey(1), Kinds[0], 7);
        Assert.That(ClusterRebuild.FromTies([tie, tie], Member, _ => 0), Is.Empty);
    }
}
