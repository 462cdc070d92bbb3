using System.Diagnostics;
using SignupGuard.IntegrationTests.Changes;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>
/// Three replicas on one database. The bounds are functional: with a poll of a minute only a notification can be so fast, and without notifications
/// only the poll can tell at all.
/// </summary>
public sealed class PolicySpreadTests
{
    private const string Minute = "60000";

    /// <summary>Far below the poll, far above what a notification takes on a busy machine.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    [Test]
    public async Task All_replicas_answer_by_the_new_version_as_soon_as_they_are_told()
    {
        await using var replicas = await Replicas.StartAsync(("Screening:PolicyPollMs", Minute));
        await replicas.ListenAsync();
        await replicas.AnswerAsync(await replicas.PublishAsync(), Soon);
        await replicas.First.RollbackAsync(1);
        await replicas.AnswerAsync(1, Soon);
    }

    [Test]
    public async Task With_the_notification_connection_cut_the_poll_tells_them()
    {
        await using var replicas = await Replicas.StartAsync(("Screening:PolicyPollMs", "500"));
        await replicas.ListenAsync();
        Assert.That(await ChangeNotificationTests.Listener.CutAsync(replicas.Database), Is.EqualTo(3));
        await replicas.AnswerAsync(await replicas.PublishAsync(), Soon);
    }

    [Test]
    public async Task After_the_notification_connection_was_cut_they_are_told_again()
    {
        await using var replicas = await Replicas.StartAsync(("Screening:PolicyPollMs", Minute));
        await replicas.ListenAsync();
        await ChangeNotificationTests.Listener.CutAsync(replicas.Database);
        await replicas.ListenAsync();
        await replicas.AnswerAsync(await replicas.PublishAsync(), Soon);
    }

    [Test]
    public async Task Without_notifications_the_poll_tells_them()
    {
        await using var replicas = await Replicas.StartAsync(("Screening:PolicyPollMs", "500"), ("Changes:Listen", "false"));
        Assert.That(await replicas.Database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"), Is.Zero);
        await replicas.AnswerAsync(await replicas.PublishAsync(), Soon);
    }

    private sealed class Replicas(TestDatabase database, TestService[] services) : IAsyncDisposable
    {
        public TestDatabase Database => database;

        public TestAdmin First { get; } = new(services[0], "ada");

        public static async Task<Replicas> StartAsync(params (string Key, string Value)[] settings)
        {
            var database = await TestPostgres.CreateDatabaseAsync();
            return new Replicas(database, await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => TestService.StartAsync(database, settings))));
        }

        /// <summary>By one replica's admins.</summary>
        public async Task<long> PublishAsync() => (await First.PublishAsync(TestAdmin.ReviewsAll, new TestAdmin(services[1], "grace"))).Version;

        public Task ListenAsync() => ChangeNotificationTests.Listener.AllAsync(database, services);

        /// <summary>Each answers by the version within the bound, and by no other again.</summary>
        public async Task AnswerAsync(long version, TimeSpan bound)
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var service in services)
            {
                while ((await service.ScreenAsync(TestSignups.New())).PolicyVersion != version)
                    Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(bound), "a replica still answers by another version");
            }
            foreach (var service in services) Assert.That((await service.ScreenAsync(TestSignups.New())).PolicyVersion, Is.EqualTo(version));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var service in services) await service.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
