using System.Globalization;
using Grpc.Core;
using Npgsql;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Clusters;

public sealed class WatchTests
{
    private const string LaterRevision =
        """
        INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body, facts)
        SELECT tenant, ordinal, revision + 1, recorded_at, now(), gen_random_uuid(), signup_id, verdict, score, policy_version, outward_code, 'network', body, facts
        FROM decisions WHERE signup_id = 'slow'
        """;

    [Test]
    public async Task A_transaction_that_commits_late_is_never_skipped_and_order_is_by_transaction()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await service.ScreenAsync(TestSignups.New("slow"));

        await using var connection = await database.Source.OpenConnectionAsync();
        await using var slow = await connection.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand(LaterRevision, connection)) await insert.ExecuteNonQueryAsync();
        for (var i = 0; i < 5; i++) await service.ScreenAsync(TestSignups.New($"fast-{i}"));

        using var watch = service.Client.WatchDecisions(new WatchDecisionsRequest());
        var seen = new List<DecisionChange> { await NextAsync(watch) };
        Assert.That((seen[0].SignupId, seen[0].Decision.Revision), Is.EqualTo(("slow", 1)));
        // The fast ones are on the disk, and wait all the same: whoever saw them now and resumed behind them would never see the slow one.
        var next = NextAsync(watch);
        Assert.That(await Task.WhenAny(next, Task.Delay(700)), Is.Not.SameAs(next));

        await slow.CommitAsync();
        seen.Add(await next);
        while (seen.Count < 7) seen.Add(await NextAsync(watch));
        Assert.That(
            seen.Select(change => $"{change.SignupId} {change.Decision.Revision}"),
            Is.EqualTo(new[] { "slow 1", "slow 2", "fast-0 1", "fast-1 1", "fast-2 1", "fast-3 1", "fast-4 1" }));
        Assert.That(seen.Select(change => ulong.Parse(change.Token.Split('.')[0], CultureInfo.InvariantCulture)), Is.Ordered);
        Assert.That(seen[1].Cause, Is.EqualTo(ChangeCause.Network));

        // Whoever resumes at any token gets all that follows it, and nothing before.
        for (var i = 0; i < seen.Count - 1; i++)
        {
            using var resumed = service.Client.WatchDecisions(new WatchDecisionsRequest { After = seen[i].Token });
            for (var follows = i + 1; follows < seen.Count; follows++) Assert.That(await NextAsync(resumed), Is.EqualTo(seen[follows]));
        }
        using var changes = service.Client.WatchDecisions(new WatchDecisionsRequest { ChangesOnly = true });
        Assert.That(await NextAsync(changes), Is.EqualTo(seen[1]));
    }

    [Test]
    public async Task Asking_what_is_new_reads_an_index_of_each_partition_and_for_changes_none_of_the_first_decisions()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body)
            SELECT 'default', i, r, at, at, gen_random_uuid(), i::text, 1, 1, 1, 'X', 'screened', '{}'
            FROM (SELECT i, now() + (i % 2) * interval '1 month' AS at FROM generate_series(1, 20000) AS i) AS s, generate_series(1, 2) AS r
            WHERE r = 1 OR i % 500 = 0;
            INSERT INTO lanes (tenant, next_ordinal) VALUES ('default', 20001) ON CONFLICT DO NOTHING;
            ANALYZE decisions;
            """);
        NpgsqlParameter[] start = [new NpgsqlParameter<string> { TypedValue = "default" }, new NpgsqlParameter<string> { TypedValue = "0" }, new NpgsqlParameter<long> { TypedValue = 0 }, new NpgsqlParameter<int> { TypedValue = 0 }];
        foreach (var (sql, scan, index, parameters) in new (string, string, string, NpgsqlParameter[])[]
        {
            (DecisionReader.AllSql, "Index Scan", "decisions_stream", start),
            (DecisionReader.ChangesSql, "Index Scan", "decisions_changes", start),
            (CaseStore.TenantsWithWorkSql, "Index Only Scan", "decisions_stream", []),
        })
        {
            var plan = await PlanAsync(database, sql, parameters);
            foreach (var month in new[] { 0, 1 })
            {
                var partition = await database.ScalarAsync<string>($"SELECT 'decisions_' || to_char(now() AT TIME ZONE 'UTC' + interval '{month} month', 'YYYY_MM')");
                // Partitions' indexes have names of their own; the parent tells which is which.
                var name = await database.ScalarAsync<string>(
                    $"SELECT i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid WHERE i.inhparent = '{index}'::regclass AND x.indrelid = '{partition}'::regclass");
                Assert.That(plan, Does.Contain($"{scan} using {name} on {partition}"), plan);
            }
        }
    }

    private static async Task<string> PlanAsync(TestDatabase database, string sql, NpgsqlParameter[] parameters)
    {
        await using var command = database.Source.CreateCommand("EXPLAIN " + sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        return string.Join('\n', plan);
    }

    internal static async Task<DecisionChange> NextAsync(AsyncServerStreamingCall<WatchDecisionsResponse> watch)
    {
        // Heartbeats have no change.
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (watch.ResponseStream.Current.Change is { } change) return change;
        }
        throw new InvalidOperationException("The stream has ended.");
    }
}
