using Microsoft.Extensions.Logging.Abstractions;
using SignupGuard.Core.Decisions;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Policies;

namespace SignupGuard.IntegrationTests.Policies;

public sealed class ShadowComparisonTests
{
    [Test]
    public async Task Shadows_that_can_t_keep_up_leave_signups_out_and_hold_up_nobody()
    {
        const int TooMany = 25;
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var signup = ClusterBench.Prepare(TestSignups.New());
        var decided = await bench.Screening.ScreenAsync([signup], ClusterBench.Policy, CancellationToken.None);
        var snapshot = new PolicySnapshot(ClusterBench.Policy, bench.Keys) { Shadows = [new LoadedPolicy(ClusterBench.Policy, 1)] };
        using var comparison = new ShadowComparison(new ShadowStore(database.Source), TimeProvider.System, NullLogger<ShadowComparison>.Instance);
        using var skipped = new Counted("signupguard.shadow.skipped");

        // Nobody takes from the queue yet, and no offer waits for that.
        for (var i = 0; i < ShadowComparison.QueueMax + TooMany; i++) comparison.Offer(snapshot, [signup], decided);
        Assert.That(skipped.Total, Is.EqualTo(TooMany));

        // What waits when the service stops is judged and written before it has stopped.
        await comparison.StartAsync(CancellationToken.None);
        await comparison.StopAsync(CancellationToken.None);
        Assert.That(await database.ScalarAsync<long>("SELECT sum(signups)::bigint FROM shadow_counts"), Is.EqualTo(ShadowComparison.QueueMax));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM shadow_differences"), Is.Zero, "a policy agrees with itself, by what is stored of a decision");
    }

    [Test]
    public async Task Of_each_move_the_latest_signups_are_kept()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var store = new ShadowStore(database.Source);
        var now = DateTimeOffset.UtcNow;
        ShadowSample Sample(int number) => new("default", 2, 1, new ShadowDifference
        {
            SignupId = $"s{number}",
            JudgedAt = now,
            ActiveVersion = 1,
            ActiveVerdict = Verdict.Allow,
            ShadowVerdict = Verdict.Deny,
            ActiveScore = 1,
            ShadowScore = 99,
            Reasons = [],
        });
        for (var round = 0; round < 3; round++)
        {
            var counts = new Dictionary<ShadowCountKey, long> { [new ShadowCountKey("default", 2, 1, DateOnly.FromDateTime(now.UtcDateTime), 1, Verdict.Allow, Verdict.Deny)] = 600 };
            await store.AddAsync(counts, [.. Enumerable.Range(round * 600, 600).Select(Sample)], CancellationToken.None);
        }
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM shadow_differences"), Is.EqualTo(ShadowStore.SamplesKept));
        var newest = await store.DifferencesAsync("default", 2, null, null, null, 1, CancellationToken.None);
        Assert.That(newest.Single().Difference.SignupId, Is.EqualTo("s1799"));
        Assert.That((await store.MovesAsync("default", 2, CancellationToken.None)).Single(), Is.EqualTo(new ShadowMove(Verdict.Allow, Verdict.Deny, 1_800)));

        await store.ForgetAsync(now + ShadowStore.CountsKeptFor + TimeSpan.FromDays(2), CancellationToken.None);
        Assert.That(await store.MovesAsync("default", 2, CancellationToken.None), Is.Empty);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM shadow_differences"), Is.Zero);
    }
}
