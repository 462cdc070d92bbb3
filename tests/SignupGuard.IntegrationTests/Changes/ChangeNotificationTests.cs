using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Service.Changes;
using SignupGuard.Storage.Changes;

namespace SignupGuard.IntegrationTests.Changes;

/// <summary>Waits of a minute stand for "until told": a test that needs the wait to run out fails by the test's own limit.</summary>
public sealed class ChangeNotificationTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Test]
    [CancelAfter(30_000)]
    public async Task A_committed_change_wakes_every_replica(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await Listener.StartAsync(database, limit);
        await using var two = await Listener.StartAsync(database, limit);
        var (nextOfOne, nextOfTwo, others) = (one.Changes.Next(ChangeTopic.Policy), two.Changes.Next(ChangeTopic.Policy), two.Changes.Next(ChangeTopic.Lists));
        await using (var connection = await database.Source.OpenConnectionAsync(limit))
        {
            await using var transaction = await connection.BeginTransactionAsync(limit);
            await ChangeChannel.NotifyAsync(connection, ChangeTopic.Policy, limit);
            Assert.That(nextOfOne.IsCompleted, Is.False, "nothing is committed yet");
            await transaction.CommitAsync(limit);
        }
        await nextOfOne.WaitAsync(limit);
        await nextOfTwo.WaitAsync(limit);
        Assert.That(others.IsCompleted, Is.False, "another topic");
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task A_change_that_is_rolled_back_wakes_nobody(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var listener = await Listener.StartAsync(database, limit);
        var (policy, lists) = (listener.Changes.Next(ChangeTopic.Policy), listener.Changes.Next(ChangeTopic.Lists));
        await using var connection = await database.Source.OpenConnectionAsync(limit);
        await using (var transaction = await connection.BeginTransactionAsync(limit))
        {
            await ChangeChannel.NotifyAsync(connection, ChangeTopic.Policy, limit);
            await transaction.RollbackAsync(limit);
        }
        // Notifications arrive in order: after this one, the other can't come any more.
        await ChangeChannel.NotifyAsync(connection, ChangeTopic.Lists, limit);
        await lists.WaitAsync(limit);
        Assert.That(policy.IsCompleted, Is.False);
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task An_announcement_wakes_its_own_replica_at_once_and_the_others_soon(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await Listener.StartAsync(database, limit);
        await using var two = await Listener.StartAsync(database, limit);
        var (own, other) = (one.Changes.Next(ChangeTopic.Decisions), two.Changes.Next(ChangeTopic.Decisions));
        for (var i = 0; i < 1_000; i++) one.Changes.Announce(ChangeTopic.Decisions);
        Assert.That(own.IsCompleted, Is.True);
        await other.WaitAsync(limit);
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task After_its_connection_is_cut_it_listens_again_and_whoever_waited_looks(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var listener = await Listener.StartAsync(database, limit);
        var next = listener.Changes.Next(ChangeTopic.Policy);
        Assert.That(await Listener.CutAsync(database), Is.EqualTo(1));
        // What happened meanwhile nobody heard.
        await next.WaitAsync(limit);
        await listener.ListeningAsync(limit);

        next = listener.Changes.Next(ChangeTopic.Lists);
        await using var connection = await database.Source.OpenConnectionAsync(limit);
        await ChangeChannel.NotifyAsync(connection, ChangeTopic.Lists, limit);
        await next.WaitAsync(limit);
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task Words_nobody_knows_are_passed_over(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var listener = await Listener.StartAsync(database, limit);
        var next = listener.Changes.Next(ChangeTopic.Policy);
        await database.ExecuteAsync("NOTIFY signupguard, 'of a later version'; NOTIFY signupguard, ''; NOTIFY signupguard, 'policy'");
        await next.WaitAsync(limit);
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task A_wait_ends_by_itself_when_nothing_is_heard(CancellationToken limit)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        using var deaf = new ChangeNotifications(database.Source, Options.Create(new ChangeOptions { Listen = false }), TimeProvider.System, NullLogger<ChangeNotifications>.Instance);
        var next = deaf.Next(ChangeTopic.Policy);
        await deaf.WaitAsync(next, TimeSpan.FromMilliseconds(20), limit);
        Assert.That(next.IsCompleted, Is.False);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(limit);
        var waiting = deaf.WaitAsync(next, Long, cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
    }

    /// <summary>One replica's ears.</summary>
    internal sealed class Listener(NpgsqlDataSource source, ChangeNotifications changes) : IAsyncDisposable
    {
        public ChangeNotifications Changes => changes;

        public static async Task<Listener> StartAsync(TestDatabase database, CancellationToken limit)
        {
            var source = Storage.SignupGuardDataSource.CreateForService(database.ConnectionString);
            var changes = new ChangeNotifications(source, Options.Create(new ChangeOptions()), TimeProvider.System, NullLogger<ChangeNotifications>.Instance);
            await changes.StartAsync(limit);
            var listener = new Listener(source, changes);
            await listener.ListeningAsync(limit);
            return listener;
        }

        public async Task ListeningAsync(CancellationToken limit)
        {
            while (!changes.Listening) await Task.Delay(5, limit);
        }

        /// <summary>Until every replica on the database listens.</summary>
        public static async Task AllAsync(TestDatabase database, IReadOnlyList<TestService> replicas)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            foreach (var replica in replicas)
            {
                var changes = (ChangeNotifications)replica.Host.Services.GetService(typeof(ChangeNotifications))!;
                while (!changes.Listening) await Task.Delay(5, limit.Token);
            }
            // A connection that is cut is noticed in a moment: it listens when the server says so, too.
            while (await database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN signupguard'") != replicas.Count)
                await Task.Delay(5, limit.Token);
        }

        /// <summary>Ends every connection of the database that listens.</summary>
        /// <returns>How many there were.</returns>
        public static Task<long> CutAsync(TestDatabase database) =>
            database.ScalarAsync<long>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN signupguard'");

        public async ValueTask DisposeAsync()
        {
            await changes.StopAsync(CancellationToken.None);
            changes.Dispose();
            await source.DisposeAsync();
        }
    }
}
