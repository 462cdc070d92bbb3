using Npgsql;
using SignupGuard.Storage.Partitions;

namespace SignupGuard.IntegrationTests.Postgres;

public sealed class PartitionTests
{
    private static readonly DateTimeOffset SomeDay = new(2031, 12, 15, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task The_running_month_and_three_ahead_are_made_once()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var maintenance = new PartitionMaintenance(database.Source, new FixedClock(SomeDay));
        var created = await maintenance.EnsureAsync(CancellationToken.None);
        Assert.That(created, Is.EquivalentTo(new[]
        {
            "signups_2031_12", "signups_2032_01", "signups_2032_02", "signups_2032_03",
            "decisions_2031_12", "decisions_2032_01", "decisions_2032_02", "decisions_2032_03",
        }));
        Assert.That(await maintenance.EnsureAsync(CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task Replicas_that_run_it_at_once_make_each_partition_once()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => new PartitionMaintenance(database.Source, new FixedClock(SomeDay)).EnsureAsync(CancellationToken.None))));
        var names = created.SelectMany(partitions => partitions).ToList();
        Assert.That(names, Is.Unique);
        Assert.That(names, Has.Count.EqualTo(8));
    }

    [Test]
    public async Task A_row_of_a_month_without_partition_is_kept_and_moved_to_its_own_later()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await InsertAsync(database.Source, 1, "2031-11-30 23:59:59.999999+00");
        await InsertAsync(database.Source, 2, "2031-12-01 00:00:00+00");
        await InsertAsync(database.Source, 3, "2031-12-31 23:59:59.999999+00");
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signups_default"), Is.EqualTo(3));

        await new PartitionMaintenance(database.Source, new FixedClock(SomeDay)).EnsureAsync(CancellationToken.None);

        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signups_default"), Is.Zero);
        Assert.That(await database.ScalarAsync<long[]>("SELECT array_agg(ordinal ORDER BY ordinal) FROM signups_2031_11"), Is.EqualTo(new[] { 1L }));
        Assert.That(await database.ScalarAsync<long[]>("SELECT array_agg(ordinal ORDER BY ordinal) FROM signups_2031_12"), Is.EqualTo(new[] { 2L, 3L }));
    }

    [Test]
    public async Task Rows_keep_coming_while_partitions_are_made()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        using var enough = new CancellationTokenSource();
        long written = 0;
        var writer = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested) await InsertAsync(database.Source, ++written, "2031-12-15 12:00:00+00");
        });
        while (Volatile.Read(ref written) < 100 && !writer.IsCompleted) await Task.Yield();
        await new PartitionMaintenance(database.Source, new FixedClock(SomeDay)).EnsureAsync(CancellationToken.None);
        var at = Volatile.Read(ref written);
        while (Volatile.Read(ref written) < at + 100 && !writer.IsCompleted) await Task.Yield();
        await enough.CancelAsync();
        await writer;

        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signups_2031_12"), Is.EqualTo(written));
    }

    [Test]
    public async Task A_lock_that_is_not_to_be_had_is_given_up_and_nothing_is_half_made()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var reader = await database.Source.OpenConnectionAsync();
        await using var reading = await reader.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("SELECT count(*) FROM signups_default", reader)) await command.ExecuteScalarAsync();

        var maintenance = new PartitionMaintenance(database.Source, new FixedClock(SomeDay));
        var failure = await Assert.ThrowsAsync<PostgresException>(() => maintenance.EnsureAsync(CancellationToken.None));
        Assert.That(failure!.SqlState, Is.EqualTo(PostgresErrorCodes.LockNotAvailable));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relname = 'signups_2031_12'"), Is.Zero);

        await reading.RollbackAsync();
        Assert.That(await maintenance.EnsureAsync(CancellationToken.None), Has.Count.EqualTo(8));
    }

    private static async Task InsertAsync(NpgsqlDataSource source, long ordinal, string recordedAt)
    {
        await using var command = source.CreateCommand(
            $"INSERT INTO signups (tenant, ordinal, recorded_at, occurred_at, account, facts) VALUES ('', {ordinal}, '{recordedAt}', '{recordedAt}', 7, '\\x00')");
        await command.ExecuteNonQueryAsync();
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
