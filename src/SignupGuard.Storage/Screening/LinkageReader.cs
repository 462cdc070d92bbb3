using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Storage.Screening;

/// <summary>The linkage a tenant has for some signups' keys, as of one moment.</summary>
internal sealed record LinkageSnapshot(KeyTable Keys, LaneState Lane, Dictionary<long, ClusterFacts> Clusters);

/// <summary>Reads linkage outside of a batch: for the second look and for labels.</summary>
internal static class LinkageReader
{
    /// <summary>Keeps batches of the tenant waiting until the transaction ends. Take it last, and end soon.</summary>
    public static NpgsqlBatchCommand LockLane(string tenant) =>
        new("SELECT 1 FROM lanes WHERE tenant = $1 FOR UPDATE") { Parameters = { Sql.Value(tenant) } };

    public static async Task<LinkageSnapshot> ReadAsync(NpgsqlConnection connection, string tenant, IReadOnlyList<DerivedKeys> keys, CancellationToken cancellation)
    {
        var wanted = keys.SelectMany(item => item.Present).Distinct().Select(key => key.ToGuid()).ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT state FROM lanes WHERE tenant = $1 AND state IS NOT NULL") { Parameters = { Sql.Value(tenant) } },
                new NpgsqlBatchCommand($"SELECT {KeyColumns} FROM link_keys WHERE key = ANY($1)") { Parameters = { Sql.Array(wanted) } },
                new NpgsqlBatchCommand(
                    $"SELECT {ClusterRow.Columns} FROM clusters c WHERE c.tenant = $2 AND c.id IN (SELECT cluster FROM link_keys WHERE key = ANY($1) AND cluster IS NOT NULL)")
                {
                    Parameters = { Sql.Array(wanted), Sql.Value(tenant) },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var lane = await reader.ReadAsync(cancellation) ? StateCodec.DecodeLane(reader.GetFieldValue<byte[]>(0)) : new LaneState();
        await reader.NextResultAsync(cancellation);
        var table = new KeyTable();
        while (await reader.ReadAsync(cancellation)) Load(table, reader);
        await reader.NextResultAsync(cancellation);
        var clusters = new Dictionary<long, ClusterFacts>();
        while (await reader.ReadAsync(cancellation))
        {
            var (facts, _) = ClusterRow.Read(reader);
            clusters[facts.Id] = facts;
        }
        return new LinkageSnapshot(table, lane, clusters);
    }

    /// <summary>Of <c>link_keys</c>, for <see cref="Load"/>.</summary>
    public const string KeyColumns = "key, cluster, state, exempt";

    /// <summary>Takes one row of <see cref="KeyColumns"/>.</summary>
    public static void Load(KeyTable table, NpgsqlDataReader reader)
    {
        var state = StateCodec.DecodeKey(reader.GetFieldValue<byte[]>(2), reader.IsDBNull(1) ? 0 : reader.GetInt64(1));
        state.Exempt = reader.GetBoolean(3);
        table.Load(LinkKey.From(reader.GetGuid(0)), state);
    }
}
