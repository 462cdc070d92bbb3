using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Clusters;

/// <summary>
/// The lock under which a tenant's networks, labels and later decisions change, until the transaction ends. Whoever needs the lane's lock as
/// well takes this one first: in one order nothing can deadlock.
/// </summary>
internal static class ClusterLock
{
    /// <summary>Waits for it.</summary>
    public static async Task TakeAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { Row(tenant), new NpgsqlBatchCommand("SELECT 1 FROM cluster_workers WHERE tenant = $1 FOR UPDATE") { Parameters = { Sql.Value(tenant) } } },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <returns>False when somebody else has it.</returns>
    public static async Task<bool> TryTakeAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { Row(tenant), new NpgsqlBatchCommand("SELECT 1 FROM cluster_workers WHERE tenant = $1 FOR UPDATE SKIP LOCKED") { Parameters = { Sql.Value(tenant) } } },
        };
        return await batch.ExecuteScalarAsync(cancellation) is not null;
    }

    private static NpgsqlBatchCommand Row(string tenant) => new("INSERT INTO cluster_workers (tenant) VALUES ($1) ON CONFLICT DO NOTHING") { Parameters = { Sql.Value(tenant) } };
}
