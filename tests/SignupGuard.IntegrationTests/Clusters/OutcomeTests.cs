using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.IntegrationTests.Clusters;

public sealed class OutcomeTests
{
    [Test]
    public async Task A_member_found_legitimate_is_never_denied_again_however_its_network_grows()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 12, "c", "d"), 4, drain: true);
        const string cleared = "s3";
        Assert.That((await bench.DecisionsAsync()).Last(decision => decision.Ordinal == 3).Verdict, Is.GreaterThan(Verdict.Allow));
        Assert.That(await bench.ReportAsync(cleared, Label.Good), Is.True);
        await bench.ScreenAsync(TiedSignups.Range(13, 40, "c", "d"), 10, drain: true);
        await database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters");
        await bench.DrainAsync();

        var inForce = await database.ScalarAsync<string>($"SELECT verdict || ' ' || cause FROM decisions WHERE signup_id = '{cleared}' ORDER BY revision DESC LIMIT 1");
        Assert.That(inForce, Is.EqualTo("1 outcome"));
        // Its network did grow, and was denied around it.
        Assert.That(await database.ScalarAsync<long>("SELECT denied FROM clusters WHERE id = (SELECT cluster FROM cluster_members WHERE ordinal = 3)"), Is.GreaterThan(10));
        Assert.That(await database.ScalarAsync<long>("SELECT sum(confirmed_good)::bigint FROM clusters"), Is.EqualTo(1));
        await bench.CheckAsync();
    }

    [Test]
    public async Task Confirmed_abuse_marks_the_keys_and_the_network_and_has_its_members_decided_again()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 4, card: "c"));
        await bench.DrainAsync();
        var before = await bench.DecisionsAsync();

        Assert.That(await bench.ReportAsync("s2", Label.Bad), Is.True);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM second_looks"), Is.EqualTo(1));
        Assert.That(await bench.ReportAsync("s2", Label.Bad), Is.False);
        await bench.DrainAsync();

        Assert.That(await database.ScalarAsync<long>("SELECT confirmed_bad FROM clusters"), Is.EqualTo(1));
        var card = TiedSignups.New(1, "c").Key(LinkAttribute.Card).ToGuid();
        Assert.That(StateCodec.DecodeKey(await database.ScalarAsync<byte[]>($"SELECT state FROM link_keys WHERE key = '{card}'"), 0).Bad, Is.EqualTo(1));
        var after = await bench.DecisionsAsync();
        foreach (var ordinal in (long[])[1, 3, 4])
        {
            var (was, now) = (before.Last(decision => decision.Ordinal == ordinal), after.Last(decision => decision.Ordinal == ordinal));
            Assert.That((now.Verdict > was.Verdict, now.Cause), Is.EqualTo((true, "network")), $"signup {ordinal}: {was} then {now}");
            Assert.That(now.Score, Is.GreaterThan(was.Score));
        }
        Assert.That(after.Last(decision => decision.Ordinal == 2), Is.EqualTo((2L, 2, Verdict.Deny, before.Last(decision => decision.Ordinal == 2).Score, "outcome")));
        await bench.CheckAsync();
    }

    [Test]
    public async Task A_later_outcome_takes_the_earlier_label_back()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 4, card: "c"));
        await bench.DrainAsync();
        await bench.ReportAsync("s2", Label.Bad, "abuse");
        await bench.ReportAsync("s2", Label.Good, "cleared");
        Assert.That(await database.ScalarAsync<string>("SELECT confirmed_bad || ' ' || confirmed_good FROM clusters"), Is.EqualTo("0 1"));
        var card = TiedSignups.New(1, "c").Key(LinkAttribute.Card).ToGuid();
        var state = StateCodec.DecodeKey(await database.ScalarAsync<byte[]>($"SELECT state FROM link_keys WHERE key = '{card}'"), 0);
        Assert.That((state.Bad, state.Good), Is.EqualTo((0d, 1d)));
        await bench.CheckAsync();
    }

    [Test]
    public async Task Screening_outcomes_workers_corrections_and_retention_at_once_neither_fail_nor_disagree()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await using var replica = await ClusterBench.StartAsync(database);
        var random = new Random(5);
        var signups = Enumerable.Range(1, 480).Select(number => TiedSignups.New(number, $"c{random.Next(12)}", random.Next(2) == 0 ? null : $"d{random.Next(9)}")).ToList();
        await bench.ScreenAsync(signups.Take(120), 30);
        var screening = 2;

        await Task.WhenAll(
            ScreenAsync(bench, signups[120..300]),
            ScreenAsync(replica, signups[300..]),
            WhileScreeningAsync(() => bench.Worker.RunOnceAsync(CancellationToken.None)),
            WhileScreeningAsync(() => replica.Worker.RunOnceAsync(CancellationToken.None)),
            WhileScreeningAsync(() => bench.ReportAsync($"s{Random.Shared.Next(1, 121)}", (Label)Random.Shared.Next(1, 3), $"k{Random.Shared.Next(3)}")),
            WhileScreeningAsync(() => replica.ReportAsync($"s{Random.Shared.Next(1, 121)}", (Label)Random.Shared.Next(1, 3), $"k{Random.Shared.Next(3)}")),
            WhileScreeningAsync(async () =>
            {
                var card = signups[Random.Shared.Next(120)].Key(LinkAttribute.Card);
                await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, card, "r", "a", DateTimeOffset.UtcNow.AddDays(1), CancellationToken.None);
                await replica.Clusters.EndExemptionAsync(ClusterBench.Tenant, card, "a", CancellationToken.None);
            }),
            WhileScreeningAsync(() => new KeyRetention(database.Source, TimeProvider.System).ForgetAsync(ClusterBench.Policy.Linkage.Rules, CancellationToken.None)));

        await bench.DrainAsync();
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signups"), Is.EqualTo(signups.Count));
        await bench.CheckAsync();
        await ClusterStoreTests.AssertRebuildAgreesAsync(bench);
        Assert.That(await database.ScalarAsync<long>("SELECT sum(confirmed_bad + confirmed_good)::bigint FROM clusters"), Is.GreaterThan(0));

        async Task ScreenAsync(ClusterBench by, IReadOnlyList<Storage.Screening.PreparedSignup> some)
        {
            try
            {
                await by.ScreenAsync(some, 10);
            }
            finally
            {
                Interlocked.Decrement(ref screening);
            }
        }

        async Task WhileScreeningAsync(Func<Task> work)
        {
            do await work();
            while (Volatile.Read(ref screening) > 0);
        }
    }
}
