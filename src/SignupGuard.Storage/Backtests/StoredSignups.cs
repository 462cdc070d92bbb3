using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Lists;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Backtests;

/// <summary>A stored signup with what was decided of it.</summary>
/// <param name="RecordedAt">Signups of one transaction have one.</param>
/// <param name="Facts">The request and its signals, sealed.</param>
/// <param name="First">The answer to the signup; null when its decision is gone.</param>
/// <param name="ByPolicy">The latest verdict that a policy gave: outcomes and people set aside.</param>
/// <param name="Lists">The lists it was on at its first decision.</param>
public sealed record StoredSignup(long Ordinal, DateTimeOffset RecordedAt, byte[] Facts, Verdict? First, Verdict? ByPolicy, ListHits Lists);

/// <summary>What an account turned out to be, as last told.</summary>
public readonly record struct StoredLabel(long Ordinal, Label Label, DateTimeOffset LabelledAt);

/// <summary>What there is to read.</summary>
/// <param name="First">Lowest ordinal; 0 for nothing.</param>
/// <param name="Last">Highest ordinal at this moment: what is recorded later is not read.</param>
/// <param name="Complete">Whether the lowest is the tenant's first signup.</param>
public sealed record StoredRange(long First, long Last, long Signups, bool Complete);

/// <summary>
/// Reads a tenant's stored signups in their order, a range of ordinals at a time, on connections of its own and without any lock: screening goes on
/// beside it.
/// </summary>
public sealed class StoredSignups(NpgsqlDataSource source)
{
    private const int ChangedByPolicy = 0;

    /// <summary>Finds the signups recorded from a time on that occurred before another. Counts them, which takes about a second for five million.</summary>
    public async Task<StoredRange> FindAsync(string tenant, DateTimeOffset recordedFrom, DateTimeOffset occurredBefore, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            """
            SELECT coalesce(min(ordinal), 0), coalesce(max(ordinal), 0), count(*), NOT EXISTS (SELECT FROM signups WHERE tenant = $1 AND recorded_at < $2)
            FROM signups WHERE tenant = $1 AND recorded_at >= $2 AND occurred_at < $3
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(recordedFrom.ToUniversalTime()));
        command.Parameters.Add(Sql.Value(occurredBefore.ToUniversalTime()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        // Ordinals count from 1: rows that retention dropped are missed by the first of them.
        var first = reader.GetInt64(0);
        return new StoredRange(first, reader.GetInt64(1), reader.GetInt64(2), reader.GetBoolean(3) && first <= 1);
    }

    /// <summary>The signups of a range of ordinals, in order; those of other times are left out.</summary>
    public async Task<List<StoredSignup>> ReadAsync(string tenant, long first, long last, DateTimeOffset recordedFrom, DateTimeOffset occurredBefore, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    $"""
                    SELECT ordinal, verdict, (cause IN ('{DecisionCause.Outcome}', '{DecisionCause.Review}'))::int, CASE WHEN revision = 1 AND get_byte(facts, 1) & {DecisionFacts.ListsPart} <> 0 THEN facts END
                    FROM decisions WHERE tenant = $1 AND ordinal BETWEEN $2 AND $3 AND recorded_at >= $4 ORDER BY ordinal, revision
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(first), Sql.Value(last), Sql.Value(recordedFrom.ToUniversalTime()) },
                },
                new NpgsqlBatchCommand("SELECT ordinal, recorded_at, facts FROM signups WHERE tenant = $1 AND ordinal BETWEEN $2 AND $3 AND recorded_at >= $4 AND occurred_at < $5 ORDER BY ordinal")
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(first), Sql.Value(last), Sql.Value(recordedFrom.ToUniversalTime()), Sql.Value(occurredBefore.ToUniversalTime()) },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var decided = new Dictionary<long, (Verdict First, Verdict ByPolicy, ListHits Lists)>();
        while (await reader.ReadAsync(cancellation))
        {
            var (ordinal, verdict) = (reader.GetInt64(0), (Verdict)reader.GetInt16(1));
            if (!decided.TryGetValue(ordinal, out var known)) decided.Add(ordinal, (verdict, verdict, reader.IsDBNull(3) ? ListHits.None : DecisionFacts.Decode(reader.GetFieldValue<byte[]>(3)).Lists));
            else if (reader.GetInt32(2) == ChangedByPolicy) decided[ordinal] = known with { ByPolicy = verdict };
        }
        await reader.NextResultAsync(cancellation);
        var signups = new List<StoredSignup>();
        while (await reader.ReadAsync(cancellation))
        {
            var ordinal = reader.GetInt64(0);
            (Verdict First, Verdict ByPolicy, ListHits Lists)? found = decided.TryGetValue(ordinal, out var known) ? known : null;
            signups.Add(new StoredSignup(ordinal, reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<byte[]>(2), found?.First, found?.ByPolicy, found?.Lists ?? ListHits.None));
        }
        return signups;
    }

    /// <summary>All labels of a tenant in the order they were told; 24 bytes each.</summary>
    public async Task<List<StoredLabel>> LabelsAsync(string tenant, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT ordinal, label, labelled_at FROM labels WHERE tenant = $1 AND label <> 0 ORDER BY labelled_at, ordinal");
        command.Parameters.Add(Sql.Value(tenant));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var labels = new List<StoredLabel>();
        while (await reader.ReadAsync(cancellation)) labels.Add(new StoredLabel(reader.GetInt64(0), (Label)reader.GetInt16(1), reader.GetFieldValue<DateTimeOffset>(2)));
        return labels;
    }

    /// <summary>The ids of signups, by ordinal; those that are gone are left out.</summary>
    public async Task<Dictionary<long, string>> IdsAsync(string tenant, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT ordinal, signup_id FROM signup_ids WHERE tenant = $1 AND ordinal = ANY($2)");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(ordinals.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var ids = new Dictionary<long, string>();
        while (await reader.ReadAsync(cancellation)) ids[reader.GetInt64(0)] = reader.GetString(1);
        return ids;
    }
}
