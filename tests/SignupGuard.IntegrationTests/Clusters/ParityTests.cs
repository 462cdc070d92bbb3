using SignupGuard.Core.Decisions;
using SignupGuard.Core.Screening;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Screening;

namespace SignupGuard.IntegrationTests.Clusters;

public sealed class ParityTests
{
    private const int Batch = 40;

    [Test]
    public async Task A_stream_screened_in_memory_and_through_the_database_gives_the_same_verdicts_scores_and_networks()
    {
        var signups = ClusterBench.Simulate(11, 400, 3, ("hydra", 70), ("datacentre_script", 50), ("virtual_bin", 40), ("catch_all", 40), ("several_doors", 30)).ConvertAll(ClusterBench.Prepare);
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(signups, Batch, drain: true);

        var memory = new MemoryScreening(ClusterBench.Policy);
        var expected = new List<(long Ordinal, int Revision, Verdict Verdict, double Score)>();
        var revisions = new Dictionary<long, int>();
        foreach (var chunk in signups.Chunk(Batch))
        {
            foreach (var signup in chunk) Add(memory.Screen(signup.Linkable));
            memory.DrainWorker((ordinal, again) => Add((ordinal, again)));
        }
        void Add((long Ordinal, Judgement Judgement) decided) =>
            expected.Add((decided.Ordinal, revisions[decided.Ordinal] = revisions.GetValueOrDefault(decided.Ordinal) + 1, decided.Judgement.Verdict, decided.Judgement.Score));

        var actual = await bench.DecisionsAsync();
        Assert.That(actual.Select(item => (item.Ordinal, item.Revision, item.Verdict, item.Score)), Is.EqualTo(expected.OrderBy(item => (item.Ordinal, item.Revision))));
        Assert.That(await bench.PartitionAsync(), Is.EqualTo(Partition(memory)));
        // It would prove little if nothing had happened.
        Assert.That(actual.Count(item => item.Revision > 1), Is.GreaterThan(20));
        Assert.That(memory.Clusters.Clusters.Max(cluster => cluster.Size), Is.GreaterThan(20));
        await bench.CheckAsync();
    }

    [Test]
    public async Task A_stored_decision_judged_again_from_its_facts_gives_the_same_verdict_score_and_reasons()
    {
        var signups = ClusterBench.Simulate(12, 200, 2, ("hydra", 60), ("datacentre_script", 40), ("virtual_bin", 30)).ConvertAll(ClusterBench.Prepare);
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(signups, Batch, drain: true);

        await using var command = database.Source.CreateCommand(
            $"SELECT s.facts, {DecisionRow.Columns} FROM decisions d JOIN signups s USING (tenant, ordinal, recorded_at) ORDER BY d.ordinal, d.revision");
        await using var reader = await command.ExecuteReaderAsync();
        var (replayed, changes) = (0, 0);
        while (await reader.ReadAsync())
        {
            var stored = DecisionRow.Read(reader, 1);
            var (signup, signals) = ClusterBench.Open(reader.GetFieldValue<byte[]>(0))!;
            Assert.That(stored.PolicyVersion, Is.EqualTo(ClusterBench.Policy.Version));
            var again = DecisionFacts.Decode(stored.Facts).Judge(ClusterBench.Policy, signup, signals);
            Assert.That((again.Verdict, again.Score), Is.EqualTo((stored.Body.Verdict, stored.Body.Score)));
            Assert.That(again.Reasons.Select(Told), Is.EqualTo(stored.Body.Reasons.Select(Told)));
            Assert.That(again.Labels, Is.EqualTo(stored.Body.Labels));
            Assert.That(again.Obligations, Is.EqualTo(stored.Body.Obligations));
            Assert.That(again.Undecided, Is.EqualTo(stored.Body.Undecided));
            replayed++;
            if (stored.Revision > 1) changes++;
        }
        Assert.That(replayed, Is.GreaterThan(330));
        Assert.That(changes, Is.GreaterThan(10));

        static (string, string, double, string?, long?, double?, double?) Told(object reason) => reason switch
        {
            Reason judged => (judged.Code, judged.Text, judged.Contribution, judged.Evidence?.Key.ToString(), judged.Evidence?.Accounts, judged.Evidence?.Expected, judged.Evidence?.Strength),
            StoredReason stored => (stored.Code, stored.Text, stored.Contribution, stored.Evidence?.KeyRef, stored.Evidence?.Accounts, stored.Evidence?.Expected, stored.Evidence?.Strength),
            _ => throw new ArgumentException("No reason.", nameof(reason)),
        };
    }

    internal static string Partition(MemoryScreening memory) =>
        string.Join('\n', memory.Clusters.Clusters.Select(cluster => string.Join(',', memory.Clusters.Members(cluster.Id))).Order(StringComparer.Ordinal));
}
