using Microsoft.EntityFrameworkCore;
using Npgsql;
using SignupGuard.Storage;

namespace SignupGuard.Migrations;

/// <summary>
/// Brings a database to the schema of this version. Each migration is a transaction: one that fails leaves nothing behind.
/// Needs a connection of its own to the server: a pooler in transaction mode does not keep the session's lock and limits.
/// </summary>
public static class DatabaseMigrator
{
    /// <summary>Replicas that start together take turns under this lock. The number is "SGMI" in ASCII.</summary>
    private const long AdvisoryLock = 0x53474D49;

    /// <summary>
    /// A migration that waits for a table's lock makes every later statement on the table wait behind it. Better to fail clearly, with
    /// nothing changed, and be started again.
    /// </summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    /// <returns>The migrations applied now, in order; empty when the schema was current.</returns>
    /// <exception cref="PostgresException">A migration failed; it and those after it are not applied.</exception>
    /// <exception cref="InvalidOperationException">The database holds migrations this version does not know: it was migrated by a newer one.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        // Building an index takes as long as it takes. Closing the connection puts the session's settings back.
        await ExecuteAsync(connection, "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0", cancellation);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({AdvisoryLock})", cancellation);
        try
        {
            await ExecuteAsync(connection, $"SET lock_timeout = {(long)LockTimeout.TotalMilliseconds}", cancellation);
            await using var context = CreateContext(connection);
            var known = context.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
            var unknown = (await context.Database.GetAppliedMigrationsAsync(cancellation)).Where(name => !known.Contains(name)).ToList();
            if (unknown.Count > 0)
                throw new InvalidOperationException($"The database was migrated by a newer version of SignupGuard ({string.Join(", ", unknown)}). Run that version, or restore a backup made before it.");
            var pending = (await context.Database.GetPendingMigrationsAsync(cancellation)).ToList();
            if (pending.Count > 0) await context.Database.MigrateAsync(cancellation);
            return pending;
        }
        finally
        {
            // A broken connection has lost the lock already.
            if (connection.State == System.Data.ConnectionState.Open)
                await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({AdvisoryLock})", CancellationToken.None);
        }
    }

    private static SignupGuardDbContext CreateContext(NpgsqlConnection connection)
    {
        var options = new DbContextOptionsBuilder<SignupGuardDbContext>();
        SignupGuardDbContext.Configure(options, connection);
        var context = new SignupGuardDbContext(options.Options);
        context.Database.SetCommandTimeout(0);
        return context;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
