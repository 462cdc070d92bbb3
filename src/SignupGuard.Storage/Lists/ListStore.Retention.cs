using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Lists;

/// <summary>What is cleared away.</summary>
public sealed partial class ListStore
{
    /// <summary>How long what was removed stays for replicas to see. One that was away longer reads everything anew.</summary>
    public static readonly TimeSpan RemovedKept = TimeSpan.FromDays(1);

    /// <summary>How long an expired entry stays: second looks judge by the time of the signup, and reach back so far.</summary>
    public static readonly TimeSpan ExpiredKept = TimeSpan.FromDays(Clusters.ClusterStore.SecondLookDays + 1);

    /// <summary>Entries cleared away in one transaction.</summary>
    private const int PurgeMax = 5_000;

    /// <summary>Clears away entries that were removed or have expired, and lists that are gone. Replicas may do so side by side.</summary>
    /// <returns>Entries cleared away.</returns>
    public async Task<long> PurgeAsync(CancellationToken cancellation)
    {
        var total = 0L;
        foreach (var tenant in (await RevisionsAsync(cancellation)).Keys)
        {
            long purged;
            do
            {
                purged = await PurgeAsync(tenant, cancellation);
                total += purged;
            }
            while (purged == PurgeMax);
        }
        return total;
    }

    private async Task<long> PurgeAsync(string tenant, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow().ToUniversalTime();
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var wait = new NpgsqlCommand("SELECT 1 FROM list_revisions WHERE tenant = $1 FOR UPDATE", connection) { Parameters = { Sql.Value(tenant) } })
            await wait.ExecuteScalarAsync(cancellation);
        await using var command = new NpgsqlCommand(
            $"""
            WITH due AS (
                SELECT list, key FROM list_entries WHERE tenant = $1 AND removed_at < $2
                UNION SELECT list, key FROM list_entries WHERE tenant = $1 AND expires_at < $3
                UNION SELECT e.list, e.key FROM lists l JOIN list_entries e ON e.tenant = l.tenant AND e.list = l.id WHERE l.tenant = $1 AND l.removed_at < $2
                LIMIT {PurgeMax}),
            gone AS (
                DELETE FROM list_entries e USING due WHERE e.tenant = $1 AND e.list = due.list AND e.key = due.key RETURNING e.list, e.revision, e.removed_at IS NULL AS counted),
            counts AS (
                UPDATE lists l SET entries = l.entries - g.n FROM (SELECT list, count(*) AS n FROM gone WHERE counted GROUP BY list) g
                WHERE l.tenant = $1 AND l.id = g.list AND l.removed_at IS NULL),
            seen AS (UPDATE list_revisions SET purged = greatest(purged, (SELECT coalesce(max(revision), 0) FROM gone)) WHERE tenant = $1)
            SELECT count(*) FROM gone
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(now - RemovedKept), Sql.Value(now - ExpiredKept) },
        };
        var purged = (long)(await command.ExecuteScalarAsync(cancellation))!;
        if (purged < PurgeMax)
        {
            await using var lists = new NpgsqlCommand(
                """
                WITH gone AS (DELETE FROM lists WHERE tenant = $1 AND removed_at < $2 RETURNING revision)
                UPDATE list_revisions SET purged = greatest(purged, (SELECT max(revision) FROM gone)) WHERE tenant = $1 AND EXISTS (SELECT FROM gone)
                """,
                connection)
            {
                Parameters = { Sql.Value(tenant), Sql.Value(now - RemovedKept) },
            };
            await lists.ExecuteNonQueryAsync(cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return purged;
    }
}
