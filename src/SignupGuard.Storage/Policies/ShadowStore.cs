using Npgsql;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Policies;

/// <summary>One count of a shadow: so many signups of a tenant and day that the active version decided one way and the shadow another, or the same.</summary>
/// <param name="Run">Of the shadow.</param>
public readonly record struct ShadowCountKey(string Tenant, long Version, long Run, DateOnly Day, long ActiveVersion, Verdict Active, Verdict Shadow);

/// <summary>A signup that moved, with whose run it is.</summary>
public sealed record ShadowSample(string Tenant, long Version, long Run, ShadowDifference Difference);

/// <summary>What shadows would have decided: counts for <see cref="CountsKeptFor"/>, and of each move the latest <see cref="SamplesKept"/> signups.</summary>
public sealed class ShadowStore(NpgsqlDataSource source)
{
    /// <summary>Signups kept of each move; somewhat more until the next are written.</summary>
    public const int SamplesKept = 1_000;

    public static readonly TimeSpan CountsKeptFor = TimeSpan.FromDays(90);

    /// <summary>Adds what was counted since the last time. All or nothing.</summary>
    public async Task AddAsync(IReadOnlyDictionary<ShadowCountKey, long> counts, IReadOnlyList<ShadowSample> samples, CancellationToken cancellation)
    {
        if (counts.Count == 0) return;
        // In one order everywhere, so that replicas never wait for each other in a circle.
        var rows = counts
            .OrderBy(row => row.Key.Tenant, StringComparer.Ordinal)
            .ThenBy(row => row.Key.Version)
            .ThenBy(row => row.Key.Run)
            .ThenBy(row => row.Key.Day)
            .ThenBy(row => row.Key.ActiveVersion)
            .ThenBy(row => row.Key.Active)
            .ThenBy(row => row.Key.Shadow)
            .ToList();
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO shadow_counts (tenant, version, run, day, active_version, active_verdict, shadow_verdict, signups)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (tenant, version, run, day, active_version, active_verdict, shadow_verdict) DO UPDATE SET signups = shadow_counts.signups + EXCLUDED.signups
            """)
        {
            Parameters =
            {
                Sql.Array(rows.ConvertAll(row => row.Key.Tenant)),
                Sql.Array(rows.ConvertAll(row => row.Key.Version)),
                Sql.Array(rows.ConvertAll(row => row.Key.Run)),
                Sql.Array(rows.ConvertAll(row => row.Key.Day)),
                Sql.Array(rows.ConvertAll(row => row.Key.ActiveVersion)),
                Sql.Array(rows.ConvertAll(row => (short)row.Key.Active)),
                Sql.Array(rows.ConvertAll(row => (short)row.Key.Shadow)),
                Sql.Array(rows.ConvertAll(row => row.Value)),
            },
        });
        foreach (var sample in samples) batch.BatchCommands.Add(Insert(sample));
        foreach (var (tenant, version, run, active, shadow) in samples.Select(sample => (sample.Tenant, sample.Version, sample.Run, sample.Difference.ActiveVerdict, sample.Difference.ShadowVerdict)).Distinct())
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                DELETE FROM shadow_differences
                WHERE tenant = $1 AND version = $2 AND run = $3 AND active_verdict = $4 AND shadow_verdict = $5 AND id <= (
                    SELECT id FROM shadow_differences
                    WHERE tenant = $1 AND version = $2 AND run = $3 AND active_verdict = $4 AND shadow_verdict = $5 ORDER BY id DESC OFFSET $6 LIMIT 1)
                """)
            {
                Parameters = { Sql.Value(tenant), Sql.Value(version), Sql.Value(run), Sql.Value((short)active), Sql.Value((short)shadow), Sql.Value(SamplesKept) },
            });
        }
        await batch.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Removes what is kept no longer, and what a replica added late to a run that is over.</summary>
    public async Task ForgetAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection);
        var oldest = now.ToUniversalTime() - CountsKeptFor;
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM shadow_counts WHERE day < $1") { Parameters = { Sql.Value(DateOnly.FromDateTime(oldest.UtcDateTime)) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM shadow_differences WHERE judged_at < $1") { Parameters = { Sql.Value(oldest) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM shadow_counts c USING policies p WHERE p.version = c.version AND p.shadow_run <> c.run"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM shadow_differences d USING policies p WHERE p.version = d.version AND p.shadow_run <> d.run"));
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Counts by move of the version's running shadow, or of its last.</summary>
    public async Task<IReadOnlyList<ShadowMove>> MovesAsync(string tenant, long version, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"""
            SELECT active_verdict, shadow_verdict, sum(signups)::bigint FROM shadow_counts
            WHERE tenant = $1 AND version = $2 AND run = ({RunSql}) GROUP BY 1, 2 ORDER BY 1, 2
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(version));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var moves = new List<ShadowMove>();
        while (await reader.ReadAsync(cancellation)) moves.Add(new ShadowMove((Verdict)reader.GetInt16(0), (Verdict)reader.GetInt16(1), reader.GetInt64(2)));
        return moves;
    }

    /// <summary>Signups that moved, newest first, each with its place for the next page.</summary>
    /// <param name="before">Only those before this place; null from the newest.</param>
    /// <param name="active">Only those the active version decided so; null for any.</param>
    /// <param name="shadow">Only those the shadow would have decided so; null for any.</param>
    public async Task<IReadOnlyList<(long Place, ShadowDifference Difference)>> DifferencesAsync(
        string tenant, long version, Verdict? active, Verdict? shadow, long? before, int pageSize, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"""
            SELECT id, signup_id, judged_at, active_version, active_verdict, shadow_verdict, active_score, shadow_score, reasons FROM shadow_differences
            WHERE tenant = $1 AND version = $2 AND run = ({RunSql}) AND ($3 = 0 OR active_verdict = $3) AND ($4 = 0 OR shadow_verdict = $4) AND id < $5
            ORDER BY id DESC LIMIT $6
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(version));
        command.Parameters.Add(Sql.Value((short)(active ?? 0)));
        command.Parameters.Add(Sql.Value((short)(shadow ?? 0)));
        command.Parameters.Add(Sql.Value(before ?? long.MaxValue));
        command.Parameters.Add(Sql.Value(pageSize));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var differences = new List<(long, ShadowDifference)>();
        while (await reader.ReadAsync(cancellation))
        {
            differences.Add((reader.GetInt64(0), new ShadowDifference
            {
                SignupId = reader.GetString(1),
                JudgedAt = reader.GetFieldValue<DateTimeOffset>(2),
                ActiveVersion = reader.GetInt64(3),
                ActiveVerdict = (Verdict)reader.GetInt16(4),
                ShadowVerdict = (Verdict)reader.GetInt16(5),
                ActiveScore = reader.GetDouble(6),
                ShadowScore = reader.GetDouble(7),
                Reasons = reader.GetFieldValue<string[]>(8),
            }));
        }
        return differences;
    }

    /// <summary>The run to show of version $2: the one that goes on, else the last that counted.</summary>
    private const string RunSql = "coalesce((SELECT shadow_run FROM policies WHERE version = $2), (SELECT max(run) FROM shadow_counts WHERE version = $2))";

    private static NpgsqlBatchCommand Insert(ShadowSample sample) =>
        new(
            """
            INSERT INTO shadow_differences (tenant, version, run, judged_at, signup_id, active_version, active_verdict, shadow_verdict, active_score, shadow_score, reasons)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """)
        {
            Parameters =
            {
                Sql.Value(sample.Tenant),
                Sql.Value(sample.Version),
                Sql.Value(sample.Run),
                Sql.Value(sample.Difference.JudgedAt.ToUniversalTime()),
                Sql.Value(sample.Difference.SignupId),
                Sql.Value(sample.Difference.ActiveVersion),
                Sql.Value((short)sample.Difference.ActiveVerdict),
                Sql.Value((short)sample.Difference.ShadowVerdict),
                Sql.Value(sample.Difference.ActiveScore),
                Sql.Value(sample.Difference.ShadowScore),
                Sql.Array(sample.Difference.Reasons),
            },
        };
}
