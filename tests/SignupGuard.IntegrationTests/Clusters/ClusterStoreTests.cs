using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Signals;
using SignupGuard.Storage;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.IntegrationTests.Clusters;

public sealed class ClusterStoreTests
{
    private static readonly DateTimeOffset Later = DateTimeOffset.UtcNow.AddDays(30);

    [Test]
    public async Task Two_workers_at_once_give_what_one_gives()
    {
        var signups = ClusterBench.Simulate(21, 150, 2, ("hydra", 60), ("datacentre_script", 60)).ConvertAll(ClusterBench.Prepare);
        await using var alone = await TestPostgres.CreateDatabaseAsync();
        await using var shared = await TestPostgres.CreateDatabaseAsync();
        await using var one = await ClusterBench.StartAsync(alone);
        await using var two = await ClusterBench.StartAsync(shared);
        await using var three = await ClusterBench.StartAsync(shared);
        foreach (var half in signups.Chunk(signups.Count / 2))
        {
            await one.ScreenAsync(half);
            await one.DrainAsync();
            await two.ScreenAsync(half);
            await Task.WhenAll(two.DrainAsync(), three.DrainAsync());
            // One of them may have gone home while the other held the lock.
            await two.DrainAsync();
        }

        Assert.That(await two.DecisionsAsync(), Is.EqualTo(await one.DecisionsAsync()));
        Assert.That(await two.AggregatesAsync(), Is.EqualTo(await one.AggregatesAsync()));
        Assert.That((await one.DecisionsAsync()).Count(decision => decision.Revision > 1), Is.GreaterThan(10));
    }

    [Test]
    public async Task A_second_look_that_is_killed_goes_on_where_it_was_and_doing_it_all_again_changes_nothing()
    {
        const int members = ClusterStore.MembersMax + 60;
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, members, device: "one"), 100);
        while (await bench.Clusters.ApplyTiesAsync(ClusterBench.Tenant, CancellationToken.None) > 0)
        {
        }
        var before = await bench.DecisionsAsync();

        // Killed in the middle of a chunk: nothing of it remains.
        var opened = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => LookAsync(bench.Clusters, stored => ++opened > 50 ? throw new InvalidOperationException("killed") : ClusterBench.Open(stored)));
        Assert.That(await bench.DecisionsAsync(), Is.EqualTo(before));

        // Killed between two chunks: the next process goes on behind the first.
        var first = await LookAsync(bench.Clusters, ClusterBench.Open);
        Assert.That(first!.Value.Members, Is.EqualTo(ClusterStore.MembersMax));
        await using var source = SignupGuardDataSource.Create(database.ConnectionString);
        var next = new ClusterStore(source, TimeProvider.System);
        var second = await LookAsync(next, ClusterBench.Open);
        Assert.That(second!.Value.Members, Is.EqualTo(members - ClusterStore.MembersMax));
        Assert.That(await LookAsync(next, ClusterBench.Open), Is.Null);

        var after = await bench.DecisionsAsync();
        Assert.That(after.Count(decision => decision.Revision > 1), Is.EqualTo(first.Value.Changed + second.Value.Changed).And.GreaterThan(0));
        await database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters");
        await bench.DrainAsync();
        Assert.That(await bench.DecisionsAsync(), Is.EqualTo(after));
        await bench.CheckAsync();

        Task<SecondLookChunk?> LookAsync(ClusterStore store, Func<byte[], OpenedFacts?> open) =>
            store.LookAgainAsync(ClusterBench.Tenant, ClusterBench.Policy, bench.Keys, open, null, CancellationToken.None);
    }

    [Test]
    public async Task A_member_whose_facts_do_not_open_keeps_its_decision_and_holds_up_nobody()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 12, device: "one"));
        await database.ExecuteAsync(@"UPDATE signups SET facts = '\x00' WHERE ordinal = 1");
        await bench.DrainAsync();
        var changed = (await bench.DecisionsAsync()).Where(decision => decision.Revision > 1).Select(decision => decision.Ordinal).ToList();
        Assert.That(changed, Is.Not.Empty.And.Not.Contains(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM second_looks"), Is.Zero);
    }

    [Test]
    public async Task A_look_that_waits_survives_the_merge_of_its_network_into_another()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        // Twelve and above, a step is a quarter more: joining one to twenty asks for no look by itself.
        await bench.ScreenAsync(TiedSignups.Range(1, 20, card: "big"));
        await bench.ScreenAsync(TiedSignups.Range(21, 3, device: "small"));
        await bench.DrainAsync();
        await database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at, reached) SELECT tenant, id, now(), 21 FROM clusters WHERE size = 3");
        await bench.ScreenAsync([TiedSignups.New(24, card: "big", device: "small")]);
        Assert.That(await bench.Clusters.ApplyTiesAsync(ClusterBench.Tenant, CancellationToken.None), Is.EqualTo(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM second_looks WHERE reached = 0 AND cluster = (SELECT id FROM clusters)"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_exempt_key_ties_nobody_until_it_expires_and_its_merges_come_apart()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        await using var bench = await ClusterBench.StartAsync(database, clock);
        await bench.ScreenAsync([.. TiedSignups.Range(1, 4, card: "c"), .. TiedSignups.Range(5, 4, device: "d"), TiedSignups.New(9, "c", "d")]);
        await bench.DrainAsync();
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4,5,6,7,8,9"));
        var merges = await database.ScalarAsync<long>("SELECT count(*) FROM cluster_merges");
        Assert.That(merges, Is.EqualTo(1));

        var card = TiedSignups.New(1, "c").Key(LinkAttribute.Card);
        Assert.That(await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, card, "a company card", "anna", clock.GetUtcNow().AddDays(1), CancellationToken.None), Is.Not.Null);
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("5,6,7,8,9"));
        await bench.CheckAsync();

        await bench.ScreenAsync(TiedSignups.Range(10, 2, card: "c"));
        await bench.DrainAsync();
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("5,6,7,8,9"));
        Assert.That((await bench.DecisionsAsync()).Where(decision => decision.Ordinal >= 10).Select(decision => decision.Verdict), Is.All.EqualTo(Verdict.Allow));
        Assert.That(await database.ScalarAsync<string>("SELECT body::text FROM decisions WHERE ordinal = 11"), Does.Not.Contain("CARD"));

        clock.Advance(TimeSpan.FromDays(1));
        await bench.DrainAsync();
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4,5,6,7,8,9"));
        Assert.That(await database.ScalarAsync<string>("SELECT author || ' ' || ended_by FROM key_exemptions"), Is.EqualTo("anna expiry"));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM cluster_merges"), Is.GreaterThan(merges));
        await bench.ScreenAsync([TiedSignups.New(12, "c")]);
        await bench.DrainAsync();
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4,5,6,7,8,9,12"));
        await AssertRebuildAgreesAsync(bench);
    }

    [Test]
    public async Task An_exemption_can_be_replaced_and_ended_by_hand_and_of_a_key_nobody_has_there_is_none()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(TiedSignups.Range(1, 4, card: "c"));
        await bench.DrainAsync();
        var card = TiedSignups.New(1, "c").Key(LinkAttribute.Card);
        Assert.That(await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, new LinkKey(7), "why", "anna", Later, CancellationToken.None), Is.Null);
        Assert.That(await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, card, "why", "anna", Later, CancellationToken.None), Is.Not.Null);
        Assert.That(await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, card, "longer", "bert", Later.AddDays(1), CancellationToken.None), Is.Not.Null);
        Assert.That(await bench.PartitionAsync(), Is.Empty);
        Assert.That(await bench.Clusters.EndExemptionAsync(ClusterBench.Tenant, card, "carl", CancellationToken.None), Is.True);
        Assert.That(await bench.Clusters.EndExemptionAsync(ClusterBench.Tenant, card, "carl", CancellationToken.None), Is.False);
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4"));
        Assert.That(await database.ScalarAsync<string>("SELECT string_agg(author || '-' || ended_by, ' ' ORDER BY id) FROM key_exemptions"), Is.EqualTo("anna-bert bert-carl"));
    }

    [Test]
    public async Task Members_taken_out_stay_out_though_the_key_that_tied_them_goes_on_tying()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync([.. TiedSignups.Range(1, 4, card: "c"), .. TiedSignups.Range(5, 4, device: "d"), TiedSignups.New(9, "c", "d")]);
        await bench.DrainAsync();
        var cluster = await database.ScalarAsync<long>("SELECT id FROM clusters");
        Assert.That(await bench.Clusters.SplitAsync(ClusterBench.Tenant, cluster, [9, 77], "anna", "why", CancellationToken.None), Is.EqualTo(1));
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4\n5,6,7,8"));
        await bench.CheckAsync();
        await AssertRebuildAgreesAsync(bench);

        await bench.ScreenAsync([TiedSignups.New(10, "c", "d")]);
        await bench.DrainAsync();
        Assert.That(await bench.PartitionAsync(), Is.EqualTo("1,2,3,4,5,6,7,8,10"));
        await AssertRebuildAgreesAsync(bench);
    }

    [Test]
    public async Task Networks_rebuilt_from_their_ties_are_those_the_live_path_keeps()
    {
        var signups = ClusterBench.Simulate(23, 150, 2, ("hydra", 60), ("several_doors", 40), ("virtual_bin", 40)).ConvertAll(ClusterBench.Prepare);
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(signups, drain: true);
        await bench.ReportAsync(signups[^1].SignupId, Label.Bad);
        await bench.DrainAsync();
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM cluster_members"), Is.GreaterThan(60));
        await AssertRebuildAgreesAsync(bench);
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Whatever_is_tied_exempted_split_and_reported_the_rebuild_agrees(int seed)
    {
        var random = new Random(seed);
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var number = 0;
        var exempt = new List<LinkKey>();
        for (var round = 0; round < 12; round++)
        {
            var some = Enumerable.Range(0, 8).Select(_ => TiedSignups.New(++number, OneOf("c", 5), OneOf("d", 5))).ToList();
            await bench.ScreenAsync(some, 8, drain: random.Next(3) > 0);
            switch (random.Next(5))
            {
                case 0:
                    var key = some[0].Key(random.Next(2) == 0 ? LinkAttribute.Card : LinkAttribute.Device);
                    if (!key.IsNone && await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, key, "r", "a", Later, CancellationToken.None) is not null) exempt.Add(key);
                    break;
                case 1 when exempt.Count > 0:
                    await bench.Clusters.EndExemptionAsync(ClusterBench.Tenant, exempt[random.Next(exempt.Count)], "a", CancellationToken.None);
                    break;
                case 2:
                    await bench.DrainAsync();
                    var ordinal = random.Next(1, number + 1);
                    var cluster = await database.ScalarAsync<long>($"SELECT coalesce(max(cluster), 0) FROM cluster_members WHERE ordinal = {ordinal}");
                    await bench.Clusters.SplitAsync(ClusterBench.Tenant, cluster, [ordinal], "anna", "why", CancellationToken.None);
                    break;
                case 3:
                    await bench.ReportAsync($"s{random.Next(1, number + 1)}", random.Next(2) == 0 ? Label.Bad : Label.Good);
                    break;
            }
            await bench.DrainAsync();
            await bench.CheckAsync();
            await AssertRebuildAgreesAsync(bench);
        }
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM cluster_members"), Is.GreaterThan(10));

        string? OneOf(string prefix, int count) => random.Next(3) == 0 ? null : $"{prefix}{random.Next(count)}";
    }

    [Test]
    public async Task Cold_keys_are_forgotten_and_those_that_matter_stay()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        await using var bench = await ClusterBench.StartAsync(database, clock);
        await bench.ScreenAsync([.. TiedSignups.Range(1, 4, card: "tied"), TiedSignups.New(5, "lone"), TiedSignups.New(6, "bad"), TiedSignups.New(7, "exempt")]);
        await bench.DrainAsync();
        await bench.ReportAsync("s6", Label.Bad);
        await bench.Clusters.ExemptKeyAsync(ClusterBench.Tenant, TiedSignups.New(7, "exempt").Key(LinkAttribute.Card), "r", "a", clock.GetUtcNow().AddDays(7_000), CancellationToken.None);
        var retention = new KeyRetention(database.Source, clock);
        var rules = ClusterBench.Policy.Linkage.Rules;
        Assert.That(await retention.ForgetAsync(rules, CancellationToken.None), Is.Zero);

        // Cards, with a half-life of sixty days, are cold after a year; addresses, with one of 180, are not.
        clock.Advance(TimeSpan.FromDays(300));
        Assert.That(await retention.ForgetAsync(rules, CancellationToken.None), Is.Zero);
        clock.Advance(TimeSpan.FromDays(65));
        Assert.That(await retention.ForgetAsync(rules, CancellationToken.None), Is.EqualTo(1));
        Assert.That(await KnownAsync("lone"), Is.False);
        clock.Advance(TimeSpan.FromDays(5_000));
        Assert.That(await retention.ForgetAsync(rules, CancellationToken.None), Is.GreaterThan(0));
        Assert.That((await KnownAsync("lone"), await KnownAsync("tied"), await KnownAsync("bad"), await KnownAsync("exempt")), Is.EqualTo((false, true, true, true)));
        Assert.That(await retention.ForgetAsync(rules, CancellationToken.None), Is.Zero);

        async Task<bool> KnownAsync(string card) =>
            await database.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM link_keys WHERE key = '{TiedSignups.New(1, card).Key(LinkAttribute.Card).ToGuid()}')");
    }

    [Test]
    public async Task The_key_table_stays_flat_on_a_long_stream()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        await using var bench = await ClusterBench.StartAsync(database, clock);
        // All kinds with a half-life of three days; each signup has keys of its own.
        var rules = ClusterBench.Policy.Linkage.Rules.Select(rule => rule with { HalfLifeDays = 3 }).ToList();
        var retention = new KeyRetention(database.Source, clock);
        var counts = new List<long>();
        for (var round = 0; round < 5; round++)
        {
            await bench.ScreenAsync(TiedSignups.Range(1 + (round * 60), 60));
            clock.Advance(TimeSpan.FromDays(30));
            await retention.ForgetAsync(rules, CancellationToken.None);
            counts.Add(await database.ScalarAsync<long>("SELECT count(*) FROM link_keys"));
        }
        Assert.That(counts[^1], Is.LessThanOrEqualTo(counts[0] + 5));
    }

    internal static async Task AssertRebuildAgreesAsync(ClusterBench bench)
    {
        var live = await bench.AggregatesAsync();
        await bench.Clusters.RebuildAsync(ClusterBench.Tenant, CancellationToken.None);
        Assert.That(await bench.AggregatesAsync(), Is.EqualTo(live));
        await bench.CheckAsync();
    }
}
