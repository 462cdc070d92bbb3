using Npgsql;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Cases last as long as their signups: when retention dropped those, nothing is left to show or decide.</summary>
public sealed partial class CaseStore
{
    /// <summary>Accounts forgotten in one transaction.</summary>
    public const int ForgottenMax = 500;

    /// <summary>Tenants that ever screened.</summary>
    public Task<IReadOnlyList<string>> TenantsAsync(CancellationToken cancellation) => TenantsAsync("SELECT tenant FROM lanes ORDER BY tenant", cancellation);

    /// <summary>
    /// Forgets accounts whose signups retention dropped, oldest first, up to the oldest that is still there: with their objections, and with the notes and the
    /// history of cases that have no account left. What people did stays in the audit.
    /// </summary>
    /// <returns>Accounts forgotten.</returns>
    public async Task<long> ForgetAsync(string tenant, CancellationToken cancellation)
    {
        var forgotten = 0L;
        int chunk;
        do
        {
            chunk = await ForgetOldestAsync(tenant, cancellation);
            forgotten += chunk;
        }
        while (chunk == ForgottenMax);
        return forgotten;
    }

    private async Task<int> ForgetOldestAsync(string tenant, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        var (ordinals, touched) = (new List<long>(), new HashSet<Guid>());
        // Retention drops whole months, so what comes after one that is there is there, too.
        await using (var command = new NpgsqlCommand(
            $"""
            SELECT o.ordinal, o.case_id, EXISTS (SELECT FROM signups s WHERE s.tenant = $1 AND s.ordinal = o.ordinal AND s.recorded_at = o.recorded_at)
            FROM (SELECT ordinal, case_id, recorded_at FROM case_signups WHERE tenant = $1 ORDER BY recorded_at, ordinal LIMIT {ForgottenMax}) o
            ORDER BY o.recorded_at, o.ordinal
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation) && !reader.GetBoolean(2))
            {
                ordinals.Add(reader.GetInt64(0));
                touched.Add(reader.GetGuid(1));
            }
        }
        if (ordinals.Count == 0) return 0;
        var cases = touched.ToArray();
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT FROM cases WHERE tenant = $1 AND id = ANY($2) ORDER BY id FOR UPDATE") { Parameters = { Sql.Value(tenant), Sql.Array(cases) } },
                new NpgsqlBatchCommand("DELETE FROM appeals WHERE tenant = $1 AND ordinal = ANY($2)") { Parameters = { Sql.Value(tenant), Sql.Array(ordinals) } },
                new NpgsqlBatchCommand("DELETE FROM case_signups WHERE tenant = $1 AND ordinal = ANY($2)") { Parameters = { Sql.Value(tenant), Sql.Array(ordinals) } },
            },
        })
        {
            // Those left without an account, and those that were folded into them.
            const string Gone =
                """
                (SELECT c.id FROM unnest($2) AS u (id) JOIN cases c ON c.tenant = $1 AND (c.id = u.id OR c.merged_into = u.id)
                 WHERE NOT EXISTS (SELECT FROM case_signups s WHERE s.tenant = $1 AND s.case_id = u.id))
                """;
            foreach (var table in (string[])["case_notes", "case_events"])
                batch.BatchCommands.Add(new NpgsqlBatchCommand($"DELETE FROM {table} WHERE tenant = $1 AND case_id IN {Gone}") { Parameters = { Sql.Value(tenant), Sql.Array(cases) } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"DELETE FROM cases WHERE tenant = $1 AND id IN {Gone}") { Parameters = { Sql.Value(tenant), Sql.Array(cases) } });
            // Decisions on networks whose members all came before the oldest account that is left.
            const string Old =
                "(SELECT r.id FROM cluster_resolutions r WHERE r.tenant = $1 AND r.started_at < (SELECT min(s.recorded_at) FROM case_signups s WHERE s.tenant = $1))";
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"DELETE FROM cluster_resolution_members WHERE tenant = $1 AND resolution_id IN {Old}") { Parameters = { Sql.Value(tenant) } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"DELETE FROM cluster_resolutions WHERE tenant = $1 AND id IN {Old}") { Parameters = { Sql.Value(tenant) } });
            await batch.ExecuteNonQueryAsync(cancellation);
        }
        await SumUpAsync(connection, tenant, touched, cancellation);
        await transaction.CommitAsync(cancellation);
        return ordinals.Count;
    }
}
