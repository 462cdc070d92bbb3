using System.Diagnostics;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Changes;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Lists;
using SignupGuard.V1;
using Verdict = SignupGuard.V1.Verdict;

namespace SignupGuard.IntegrationTests.Lists;

/// <summary>What lists do to signups, on the real service.</summary>
public sealed class ListedSignupTests
{
    private TestDatabase _database = null!;

    [SetUp]
    public async Task Start() => _database = await TestPostgres.CreateDatabaseAsync();

    [TearDown]
    public async Task Stop() => await _database.DisposeAsync();

    /// <summary>Until a replica has seen the last change; how long that took.</summary>
    private async Task<TimeSpan> SeenAsync(TestService service)
    {
        var revision = await _database.ScalarAsync<long>("SELECT max(revision) FROM list_revisions");
        var started = Stopwatch.GetTimestamp();
        while (Lists(service).For("default").Revision < revision)
        {
            Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(30)));
            await Task.Delay(5);
        }
        return Stopwatch.GetElapsedTime(started);
    }

    private static ActiveLists Lists(TestService service) => (ActiveLists)service.Host.Services.GetService(typeof(ActiveLists))!;

    private static Signup From(string address, string? ip = null)
    {
        var signup = TestSignups.New();
        signup.Email.Address = address;
        if (ip is not null) signup.Network = new Network { Ip = ip };
        return signup;
    }

    [Test]
    public async Task A_change_decides_on_every_replica_within_about_a_second()
    {
        await using var replicas = await Three.StartAsync(_database);
        var all = replicas.Services;
        var admin = new ListClient(all[0]);
        await admin.CreateAsync("stolen", ListEffect.Deny, ListType.Email);
        foreach (var change in new Func<Task>[] { () => admin.AddAsync("stolen", "reported", "mallory@gmail.com"), () => admin.RemoveAsync("stolen", "mallory@gmail.com"), () => admin.AddAsync("stolen", "again", "mallory@gmail.com") })
        {
            await change();
            var took = await Task.WhenAll(all.Select(SeenAsync));
            // The poll alone would take a second; the machine may be busy.
            Assert.That(took.Max(), Is.LessThan(TimeSpan.FromSeconds(5)));
            TestContext.Out.WriteLine($"seen by all after {took.Max().TotalMilliseconds:F0} ms");
        }
        foreach (var replica in all)
        {
            var decision = await replica.ScreenAsync(From("Mal.Lory+new@googlemail.com"));
            Assert.That(decision.Verdict, Is.EqualTo(Verdict.Deny));
            var reason = decision.Reasons.Single(reason => reason.Code == "LIST_DENIED");
            Assert.That((reason.Text, reason.Contribution), Is.EqualTo(("On the deny list stolen: again", 0d)));
            Assert.That(decision.ToString(), Does.Not.Contain("mallory"));
        }
    }

    [Test]
    public async Task With_the_notification_connection_cut_the_poll_tells_every_replica()
    {
        await using var replicas = await Three.StartAsync(_database, ("Screening:ListPollMs", "500"));
        await ChangeNotificationTests.Listener.AllAsync(_database, replicas.Services);
        Assert.That(await ChangeNotificationTests.Listener.CutAsync(_database), Is.EqualTo(3));
        await DenyAsync(replicas);
    }

    [Test]
    public async Task After_the_notification_connection_was_cut_every_replica_is_told_again()
    {
        await using var replicas = await Three.StartAsync(_database, ("Screening:ListPollMs", "60000"));
        await ChangeNotificationTests.Listener.AllAsync(_database, replicas.Services);
        await ChangeNotificationTests.Listener.CutAsync(_database);
        await ChangeNotificationTests.Listener.AllAsync(_database, replicas.Services);
        await DenyAsync(replicas);
    }

    /// <summary>One replica's admin lists an address; every replica denies it.</summary>
    private async Task DenyAsync(Three replicas)
    {
        var admin = new ListClient(replicas.Services[0]);
        await admin.CreateAsync("stolen", ListEffect.Deny, ListType.Email);
        await admin.AddAsync("stolen", "reported", "mallory@gmail.com");
        await Task.WhenAll(replicas.Services.Select(SeenAsync));
        foreach (var replica in replicas.Services) Assert.That((await replica.ScreenAsync(From("mallory@gmail.com"))).Verdict, Is.EqualTo(Verdict.Deny));
    }

    private sealed class Three(TestService[] services) : IAsyncDisposable
    {
        public TestService[] Services => services;

        public static async Task<Three> StartAsync(TestDatabase database, params (string Key, string Value)[] settings) =>
            new(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => TestService.StartAsync(database, settings))));

        public async ValueTask DisposeAsync()
        {
            foreach (var service in services) await service.DisposeAsync();
        }
    }

    [Test]
    public async Task Allow_wins_over_deny_and_a_watched_signup_carries_a_label()
    {
        await using var service = await TestService.StartAsync(_database);
        var admin = new ListClient(service);
        await admin.CreateAsync("bad-nets", ListEffect.Deny, ListType.Ip);
        await admin.CreateAsync("partners", ListEffect.Allow, ListType.Domain);
        await admin.CreateAsync("curious", ListEffect.Watch, ListType.Domain);
        await admin.AddAsync("bad-nets", "abused", "203.0.114.0/24");
        await admin.AddAsync("partners", "contract", "partner.example");
        await admin.AddAsync("curious", "looks odd", "odd.example");
        await SeenAsync(service);
        Assert.That((await service.ScreenAsync(From("a@else.example", "203.0.114.9"))).Verdict, Is.EqualTo(Verdict.Deny));
        var partner = await service.ScreenAsync(From("a@mail.partner.example", "203.0.114.9"));
        Assert.That(partner.Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That(partner.Reasons.Select(reason => reason.Code), Is.SupersetOf(new[] { "LIST_ALLOWED", "LIST_DENIED" }));
        var watched = await service.ScreenAsync(From("a@odd.example"));
        Assert.That((watched.Verdict, watched.Labels.Single()), Is.EqualTo((Verdict.Allow, "watch:curious")));
    }

    [Test]
    public async Task An_entry_holds_for_signups_before_its_expiry_by_their_own_time()
    {
        await using var service = await TestService.StartAsync(_database);
        var admin = new ListClient(service);
        await admin.CreateAsync("stolen", ListEffect.Deny, ListType.Email);
        var expires = DateTimeOffset.UtcNow.AddMinutes(2);
        await admin.AddAsync("stolen", "short", expires, "mallory@gmail.com");
        await SeenAsync(service);
        var before = From("mallory@gmail.com");
        before.OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(expires.AddSeconds(-1));
        var after = From("mallory@gmail.com");
        after.OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(expires);
        Assert.That((await service.ScreenAsync(before)).Verdict, Is.EqualTo(Verdict.Deny));
        Assert.That((await service.ScreenAsync(after)).Reasons.Select(reason => reason.Code), Does.Not.Contain("LIST_DENIED"));
    }

    [Test]
    public async Task The_stored_decision_replays_to_the_same_answer_after_the_list_is_gone()
    {
        await using var service = await TestService.StartAsync(_database);
        var admin = new ListClient(service);
        var list = await admin.CreateAsync("stolen", ListEffect.Deny, ListType.Email);
        await admin.AddAsync("stolen", "reported", "mallory@gmail.com");
        await SeenAsync(service);
        var signup = From("mallory@gmail.com");
        var decided = await service.ScreenAsync(signup);
        await admin.Raw.DeleteListAsync(new DeleteListRequest { Name = "stolen", Etag = list.Etag }, admin.Headers);
        await SeenAsync(service);

        var facts = DecisionFacts.Decode(await _database.ScalarAsync<byte[]>("SELECT facts FROM decisions"));
        var cipher = (FactsCipher)service.Host.Services.GetService(typeof(FactsCipher))!;
        var stored = cipher.Open("default", await _database.ScalarAsync<byte[]>("SELECT facts FROM signups"));
        var again = facts.Judge(PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!, SignupMap.ToCore(Signup.Parser.ParseFrom(stored.Signup)), stored.Signals);
        Assert.That(again.Verdict, Is.EqualTo(Core.Decisions.Verdict.Deny));
        Assert.That(again.Reasons.Select(reason => (reason.Code, reason.Text)), Is.EqualTo(decided.Reasons.Select(reason => (reason.Code, reason.Text))));
        Assert.That((await service.ScreenAsync(From("mallory@gmail.com"))).Reasons.Select(reason => reason.Code), Does.Not.Contain("LIST_DENIED"));
    }

    [Test]
    public async Task A_member_that_came_on_an_allow_list_later_is_not_denied_by_its_network()
    {
        await using var service = await TestService.StartAsync(_database);
        var admin = new ListClient(service);
        await admin.CreateAsync("partners", ListEffect.Allow, ListType.Email);
        Signup Member(int i)
        {
            var signup = From($"member{i}@gmail.com");
            signup.Device = new Device { DeviceId = "shared" };
            signup.Payment = new Payment { InstrumentFingerprint = "shared" };
            return signup;
        }

        var (cleared, other) = (Member(1), Member(2));
        await service.ScreenAsync(cleared);
        await service.ScreenAsync(other);
        await admin.AddAsync("partners", "known to us", "member1@gmail.com");
        await SeenAsync(service);
        for (var i = 3; i <= 30; i++) await service.ScreenAsync(Member(i));
        async Task<Verdict> Now(Signup signup) => (await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signup.SignupId })).Decision.Verdict;
        var started = Stopwatch.GetTimestamp();
        while (await Now(other) != Verdict.Deny)
        {
            Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(60)));
            await Task.Delay(50);
        }
        Assert.That(await Now(cleared), Is.Not.EqualTo(Verdict.Deny));
    }

    [Test]
    public async Task What_was_removed_or_expired_is_cleared_away_and_a_replica_that_missed_it_reads_everything()
    {
        await using var service = await TestService.StartAsync(_database, ("Screening:ListPollMs", "60000"));
        var admin = new ListClient(service);
        var gone = await admin.CreateAsync("gone", ListEffect.Deny, ListType.Asn);
        await admin.AddAsync("gone", "r", "AS1", "AS2");
        await admin.CreateAsync("kept", ListEffect.Deny, ListType.Asn);
        await admin.AddAsync("kept", "r", "AS3", "AS4");
        await admin.AddAsync("kept", "r", DateTimeOffset.UtcNow.AddDays(1), "AS5");
        var store = new ListStore(_database.Source, TimeProvider.System);
        var before = (await store.ChangesAsync("default", 0, CancellationToken.None)).Changes;
        Assert.That(before.Entries, Has.Count.EqualTo(5));

        await admin.RemoveAsync("kept", "AS4");
        await admin.Raw.DeleteListAsync(new DeleteListRequest { Name = "gone", Etag = gone.Etag }, admin.Headers);
        var changes = await store.ChangesAsync("default", before.Revision, CancellationToken.None);
        Assert.That((changes.FromScratch, changes.Changes.RemovedEntries.Count, changes.Changes.RemovedLists.Count), Is.EqualTo((false, 1, 1)));
        Assert.That(await store.PurgeAsync(CancellationToken.None), Is.Zero, "replicas may not have seen it yet");

        var later = new ListStore(_database.Source, new LaterClock(TimeSpan.FromDays(40)));
        Assert.That(await later.PurgeAsync(CancellationToken.None), Is.EqualTo(4));
        Assert.That(await _database.ScalarAsync<long>("SELECT count(*) FROM list_entries"), Is.EqualTo(1));
        Assert.That((await admin.Raw.GetListAsync(new GetListRequest { Name = "kept" })).List.Entries, Is.EqualTo(1));
        var missed = await store.ChangesAsync("default", before.Revision, CancellationToken.None);
        Assert.That((missed.FromScratch, missed.Changes.Entries.Count), Is.EqualTo((true, 1)));
    }

    private sealed class LaterClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
