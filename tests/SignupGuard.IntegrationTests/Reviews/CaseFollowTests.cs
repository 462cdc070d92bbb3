using Microsoft.Extensions.Logging.Abstractions;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Reviews;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.IntegrationTests.Reviews;

public sealed class CaseFollowTests
{
    [Test]
    public async Task Every_flagged_signup_is_in_one_case_and_a_network_has_one()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var worker = Worker(database);
        for (var from = 1; from <= 41; from += 10)
        {
            await bench.ScreenAsync(TiedSignups.Range(from, 10, "c", "d"), 5, drain: from % 20 == 1);
            await FollowAsync(worker);
        }
        await bench.DrainAsync();
        await FollowAsync(worker);

        var flagged = (await bench.DecisionsAsync()).GroupBy(decision => decision.Ordinal).Count(history => history.Any(decision => decision.Verdict > Verdict.Allow));
        Assert.That(flagged, Is.GreaterThan(20));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM case_signups"), Is.EqualTo(flagged));
        Assert.That(await database.ScalarAsync<string>("SELECT string_agg(signups || ' ' || (cluster IS NOT NULL), ',') FROM cases WHERE merged_into IS NULL"), Is.EqualTo($"{flagged} true"));
        // Those folded in lead to it, and hold nothing any more.
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM cases c WHERE merged_into IS NOT NULL AND (EXISTS (SELECT FROM case_signups s WHERE s.case_id = c.id) OR NOT EXISTS (SELECT FROM cases n WHERE n.id = c.merged_into AND n.merged_into IS NULL))"), Is.Zero);
        // Each was opened once, and what was opened is told by the case it is in now.
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM case_events e JOIN cases c ON c.id = e.case_id WHERE e.kind = 'opened' AND c.merged_into IS NULL"), Is.EqualTo(await database.ScalarAsync<long>("SELECT count(*) FROM cases")));
        Assert.That(await worker.RunOnceAsync(CancellationToken.None), Is.False);
    }

    [Test]
    public async Task Members_taken_out_of_a_network_have_cases_of_their_own_again()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var worker = Worker(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 30, "c", "d"), 5, drain: true);
        await bench.DrainAsync();
        await FollowAsync(worker);
        var before = await database.ScalarAsync<long>("SELECT signups FROM cases WHERE merged_into IS NULL");
        var cluster = await database.ScalarAsync<long>("SELECT cluster FROM cases WHERE merged_into IS NULL");
        var first = await database.ScalarAsync<long>("SELECT min(ordinal) FROM case_signups");

        Assert.That(await bench.Clusters.SplitAsync(ClusterBench.Tenant, cluster, [first], "anna", "why", CancellationToken.None), Is.EqualTo(1));
        await FollowAsync(worker);
        Assert.That(await database.ScalarAsync<string>("SELECT string_agg(signups || ' ' || (cluster IS NULL), ',' ORDER BY signups) FROM cases WHERE merged_into IS NULL"), Is.EqualTo($"1 true,{before - 1} false"));
        Assert.That(await database.ScalarAsync<long>("SELECT c.ordinal FROM cases c WHERE merged_into IS NULL AND cluster IS NULL"), Is.EqualTo(first));
    }

    [Test]
    public async Task A_decision_that_commits_late_is_taken_late_and_once()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var worker = Worker(database);
        await using (var slow = await database.Source.OpenConnectionAsync())
        {
            await using var transaction = await slow.BeginTransactionAsync();
            // Its transaction is older than all that screening makes now.
            await using (var command = slow.CreateCommand())
            {
                command.CommandText = "SELECT pg_current_xact_id()::text";
                await command.ExecuteScalarAsync();
            }
            await bench.ScreenAsync(TiedSignups.Range(1, 30, "c", "d"), 5, drain: true);
            await FollowAsync(worker);
            Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM cases"), Is.Zero);
            await transaction.CommitAsync();
        }
        var other = Worker(database);
        await Task.WhenAll(FollowAsync(worker), FollowAsync(other));
        await FollowAsync(other);
        var flagged = (await bench.DecisionsAsync()).GroupBy(decision => decision.Ordinal).Count(history => history.Any(decision => decision.Verdict > Verdict.Allow));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM case_signups"), Is.EqualTo(flagged).And.GreaterThan(0));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM case_events WHERE kind = 'opened'"), Is.EqualTo(flagged));
    }

    [Test]
    public async Task An_outcome_that_clears_all_members_resolves_the_case()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var worker = Worker(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 12, "c", "d"), 4, drain: true);
        await FollowAsync(worker);
        for (var number = 1; number <= 12; number++) await bench.ReportAsync($"s{number}", Label.Good);
        await FollowAsync(worker);
        Assert.That(
            await database.ScalarAsync<string>("SELECT string_agg(state || ' ' || resolution, ',') FROM cases WHERE merged_into IS NULL"),
            Is.EqualTo($"{(short)CaseState.Resolved} {(short)CaseResolution.Allow}"));
    }

    [Test]
    public async Task Cases_are_forgotten_with_the_signups_that_retention_dropped()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var worker = Worker(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 30, "c", "d"), 5, drain: true);
        await bench.DrainAsync();
        await FollowAsync(worker);
        var store = new CaseStore(database.Source, TimeProvider.System);
        var flagged = await database.ScalarAsync<long>("SELECT count(*) FROM case_signups");
        Assert.That(await store.ForgetAsync(ClusterBench.Tenant, CancellationToken.None), Is.Zero);

        const string Older = "ordinal <= 15";
        var older = await database.ScalarAsync<long>($"SELECT count(*) FROM case_signups WHERE {Older}");
        await database.ExecuteAsync($"DELETE FROM decisions WHERE {Older}; DELETE FROM signups WHERE {Older}");
        Assert.That(await store.ForgetAsync(ClusterBench.Tenant, CancellationToken.None), Is.EqualTo(older).And.GreaterThan(0));
        Assert.That(await database.ScalarAsync<string>("SELECT string_agg(signups::text, ',') FROM cases WHERE merged_into IS NULL"), Is.EqualTo($"{flagged - older}"));
        Assert.That(await database.ScalarAsync<long>("SELECT min(ordinal) FROM cases WHERE merged_into IS NULL"), Is.GreaterThan(15));

        await database.ExecuteAsync("DELETE FROM decisions; DELETE FROM signups");
        Assert.That(await store.ForgetAsync(ClusterBench.Tenant, CancellationToken.None), Is.EqualTo(flagged - older));
        Assert.That(await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM case_signups) + (SELECT count(*) FROM case_events)"), Is.Zero);
    }

    internal static CaseWorker Worker(TestDatabase database) =>
        new(new CaseStore(database.Source, TimeProvider.System), ClusterBench.Cipher, TimeProvider.System, NullLogger<CaseWorker>.Instance);

    private static async Task FollowAsync(CaseWorker worker)
    {
        while (await worker.RunOnceAsync(CancellationToken.None))
        {
        }
    }
}
