using System.Globalization;
using Npgsql;

namespace SignupGuard.Storage.Partitions;

/// <summary>
/// Keeps monthly partitions ready for the tables that grow with every signup. A month without a partition is no failure: its rows land
/// in the default partition, and are moved to their own the next time this runs.
/// <para>Old months leave by detaching their partition, which retention will do here; a partition is named by its month for that.</para>
/// </summary>
public sealed class PartitionMaintenance(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Months kept ready after the running one: how long this may fail before rows land in the default partition.</summary>
    public const int MonthsAhead = 3;

    /// <summary>Partitioned by <c>recorded_at</c>, by calendar month in UTC.</summary>
    public static readonly IReadOnlyList<string> Tables = ["signups", "decisions"];

    /// <summary>Replicas take turns under this lock. The number is "SGPM" in ASCII.</summary>
    private const long AdvisoryLock = 0x5347504D;

    /// <summary>Attaching waits for the writers of the default partition, and new statements wait behind it, so it must give up soon.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Creates what is missing. Safe to run at any time, by any number of replicas at once.</summary>
    /// <returns>Names of the partitions created now.</returns>
    /// <exception cref="PostgresException">Among others 55P03, when a lock was not to be had in time; what was created stays, run it again.</exception>
    public async Task<IReadOnlyList<string>> EnsureAsync(CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var created = new List<string>();
        foreach (var table in Tables)
        {
            foreach (var month in await MonthsAsync(connection, table, cancellation))
            {
                if (!await ExistsAsync(connection, table, month, cancellation) && await CreateAsync(connection, table, month, month > RunningMonth, cancellation))
                    created.Add(PartitionName(table, month));
            }
        }
        return created;
    }

    /// <summary>Such as <c>decisions_2026_11</c>.</summary>
    public static string PartitionName(string table, DateOnly month) => string.Create(CultureInfo.InvariantCulture, $"{table}_{month:yyyy_MM}");

    private DateOnly RunningMonth
    {
        get
        {
            var now = clock.GetUtcNow();
            return new DateOnly(now.Year, now.Month, 1);
        }
    }

    /// <summary>The running month and those ahead, and each month that has rows in the default partition.</summary>
    private async Task<SortedSet<DateOnly>> MonthsAsync(NpgsqlConnection connection, string table, CancellationToken cancellation)
    {
        var months = new SortedSet<DateOnly>(Enumerable.Range(0, MonthsAhead + 1).Select(RunningMonth.AddMonths));
        await using var command = new NpgsqlCommand($"SELECT DISTINCT date_trunc('month', recorded_at AT TIME ZONE 'UTC')::date FROM {table}_default", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) months.Add(reader.GetFieldValue<DateOnly>(0));
        return months;
    }

    /// <summary>Asks the catalogue by query: <c>to_regclass</c> answers from a cache that waiting for the advisory lock does not refresh.</summary>
    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string table, DateOnly month, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::regclass AND relname = $2)",
            connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = table }, new NpgsqlParameter<string> { TypedValue = PartitionName(table, month) } },
        };
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>By a function of the tables' owner: the service's own role owns none.</summary>
    private static async Task<bool> CreateAsync(NpgsqlConnection connection, string table, DateOnly month, bool ahead, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellation);
        if (await ExistsAsync(connection, table, month, cancellation)) return false;
        await ExecuteAsync(connection, $"SET LOCAL lock_timeout = {(long)LockTimeout.TotalMilliseconds}", cancellation);
        await using var command = new NpgsqlCommand("SELECT create_month_partition($1, $2, $3)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = table },
                new NpgsqlParameter<DateOnly> { TypedValue = month },
                new NpgsqlParameter<bool> { TypedValue = ahead },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
