using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using SignupGuard.Core.Screening;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Clusters;

public sealed class CampaignTests
{
    /// <summary>Far above the second it should take: a busy machine must not fail the test, a watcher that misses its wake should.</summary>
    private static readonly TimeSpan VisibleWithin = TimeSpan.FromSeconds(5);

    [Test]
    public async Task Early_members_of_a_campaign_are_decided_again_within_seconds_on_two_replicas()
    {
        var signups = ClusterBench.Simulate(41, 240, 2, ("datacentre_script", 60));
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await TestService.StartAsync(database);
        await using var two = await TestService.StartAsync(database);
        using var ending = new CancellationTokenSource();
        using var watch = two.Client.WatchDecisions(new WatchDecisionsRequest { ChangesOnly = true }, cancellationToken: ending.Token);
        var changes = new ConcurrentQueue<(DecisionChange Change, long At)>();
        var watching = WatchAsync();

        var answers = new List<(Decision Decision, long At)>();
        foreach (var signup in signups)
        {
            var decision = await (answers.Count % 2 == 0 ? one : two).ScreenAsync(signup);
            answers.Add((decision, Stopwatch.GetTimestamp()));
        }
        await QuietAsync(database);
        var total = await database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE revision > 1");
        while (changes.Count < total) await Task.Delay(20);

        // Allowed at first, then not: the early members.
        var first = answers.ToDictionary(answer => answer.Decision.SignupId, answer => answer.Decision);
        Assert.That(changes.Count(item => item.Change.PreviousVerdict == Verdict.Allow), Is.GreaterThanOrEqualTo(3));
        var slowest = TimeSpan.Zero;
        foreach (var (change, at) in changes)
        {
            Assert.That(change.Cause, Is.EqualTo(ChangeCause.Network));
            Assert.That(change.Verdict, Is.GreaterThan(change.PreviousVerdict));
            Assert.That(change.Decision.PolicyVersion, Is.EqualTo(1));
            Assert.That(change.Decision.Revision, Is.GreaterThan(1));
            Assert.That(change.Decision.OutwardCode, Is.EqualTo(first[change.SignupId].OutwardCode));
            var steps = change.Decision.Reasons.SelectMany(reason => reason.Path).ToList();
            Assert.That(steps, Is.Not.Empty, "no evidence path");
            Assert.That(steps, Has.All.Matches<EvidenceStep>(step => step!.KeyKind.Length > 0 && step.KeyRef.Length > 0 && step.Accounts > 1));
            Assert.That(steps.SelectMany(step => step.SignupIds), Is.Not.Empty.And.All.Matches<string>(id => first.ContainsKey(id!)));
            // The signup that triggered it was answered before the change was made; the last such is the strictest reading.
            var trigger = answers.Where(answer => answer.Decision.DecidedAt <= change.ChangedAt).MaxBy(answer => answer.At);
            var took = Stopwatch.GetElapsedTime(trigger.At, at);
            if (took > slowest) slowest = took;
        }
        TestContext.Out.WriteLine($"{changes.Count} changes, the slowest visible {slowest.TotalMilliseconds:f0} ms after the answer before it");
        Assert.That(slowest, Is.LessThan(VisibleWithin));

        // The same networks as in memory, and nothing changes when all are looked at again.
        var memory = new MemoryScreening(ClusterBench.Policy);
        foreach (var signup in signups)
        {
            memory.Screen(ClusterBench.Prepare(signup).Linkable);
            memory.DrainWorker((_, _) => { });
        }
        await using var bench = await ClusterBench.StartAsync(database);
        Assert.That(await bench.PartitionAsync(), Is.EqualTo(ParityTests.Partition(memory)));
        await bench.CheckAsync();
        await database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters");
        await QuietAsync(database);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE revision > 1"), Is.GreaterThanOrEqualTo(total));
        var settled = await database.ScalarAsync<long>("SELECT count(*) FROM decisions");
        await database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters");
        await QuietAsync(database);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.EqualTo(settled));

        await ending.CancelAsync();
        await watching;

        async Task WatchAsync()
        {
            try
            {
                while (true) changes.Enqueue((await WatchTests.NextAsync(watch), Stopwatch.GetTimestamp()));
            }
            catch (RpcException) when (ending.IsCancellationRequested)
            {
                // The test is over.
            }
        }
    }

    /// <summary>Waits until the workers have nothing left to do.</summary>
    private static async Task QuietAsync(TestDatabase database)
    {
        while (await database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM link_events) OR EXISTS (SELECT FROM second_looks)")) await Task.Delay(50);
    }
}
