using Npgsql;
using SignupGuard.IntegrationTests.Postgres;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>Holds the tenant's lane, as a replica's transaction under way does, so that all commits wait until it is let go.</summary>
internal sealed class HeldLane : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private HeldLane(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        _connection = connection;
        _transaction = transaction;
    }

    public static async Task<HeldLane> TakeAsync(TestDatabase database)
    {
        var connection = await database.Source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("INSERT INTO lanes AS l (tenant, next_ordinal) VALUES ('default', 1) ON CONFLICT (tenant) DO UPDATE SET next_ordinal = l.next_ordinal", connection);
        await command.ExecuteNonQueryAsync();
        return new HeldLane(connection, transaction);
    }

    /// <summary>Returns when a commit waits for the lane.</summary>
    public static async Task AwaitedAsync(TestDatabase database)
    {
        while (await database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == 0) await Task.Delay(10);
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
