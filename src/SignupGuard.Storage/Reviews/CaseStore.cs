using Npgsql;
using NpgsqlTypes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>
/// Cases and their life. Members and states change under the networks' lock (<see cref="Clusters.ClusterLock"/>), leases and notes under the case's row alone.
/// </summary>
public sealed partial class CaseStore(NpgsqlDataSource source, TimeProvider clock)
{
    private DateTimeOffset Now => Sql.Stored(clock.GetUtcNow().ToUniversalTime());

    private static async Task RunAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task RunAsync(NpgsqlConnection connection, NpgsqlBatchCommand command, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { command } };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private static NpgsqlBatchCommand Event(string tenant, Guid id, DateTimeOffset at, string? actor, string kind, string? detail) =>
        new("INSERT INTO case_events (tenant, case_id, at, actor, kind, detail) VALUES ($1, $2, $3, $4, $5, $6)")
        {
            Parameters = { Sql.Value(tenant), Sql.Value(id), Sql.Value(at.ToUniversalTime()), Text(actor), Sql.Value(kind), Text(detail) },
        };
}
