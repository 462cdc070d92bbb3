using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Clusters;

/// <summary>What people correct in networks, and networks worked out anew. The log of merges stays as it was.</summary>
public sealed partial class ClusterStore
{
    /// <summary>Who ended an exemption that nobody ended by hand.</summary>
    private const string Expiry = "expiry";

    /// <summary>
    /// Works out all networks of a tenant from their ties: the same as the live path keeps, should that ever be in doubt. Screening waits only while
    /// the keys are written. Accounts past their retention fall out.
    /// </summary>
    /// <returns>Networks there are now.</returns>
    public async Task<int> RebuildAsync(string tenant, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        var clusters = await RebuildAsync(connection, tenant, null, cancellation);
        await transaction.CommitAsync(cancellation);
        return clusters;
    }

    /// <summary>
    /// From now on the key ties nobody and is no evidence, and what it tied comes apart where nothing else holds it together. It goes on counting. At the
    /// expiry, at the worker's next turn, its ties are in force again. Exempting it again replaces reason and expiry.
    /// </summary>
    /// <param name="reason">1 to 1,024 characters.</param>
    /// <param name="author">1 to 128 characters.</param>
    /// <returns>Null when no signup has the key.</returns>
    public async Task<StoredExemption?> ExemptKeyAsync(string tenant, LinkKey key, string reason, string author, DateTimeOffset expiresAt, CancellationToken cancellation)
    {
        var now = Sql.Stored(clock.GetUtcNow());
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        if (await KeyAsync(connection, key, cancellation) is not var (kind, cluster)) return null;
        long id;
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("UPDATE key_exemptions SET ended_at = $3, ended_by = $4 WHERE tenant = $1 AND key = $2 AND ended_at IS NULL")
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(key.ToGuid()), Sql.Value(now), Sql.Value(author) },
                },
                new NpgsqlBatchCommand("INSERT INTO key_exemptions (tenant, key, reason, author, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id")
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(key.ToGuid()), Sql.Value(reason), Sql.Value(author), Sql.Value(now), Sql.Value(expiresAt.ToUniversalTime()) },
                },
            },
        })
        {
            id = (long)(await batch.ExecuteScalarAsync(cancellation))!;
        }
        if (cluster is { } affected) await RebuildAsync(connection, tenant, [affected], cancellation);
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                LinkageReader.LockLane(tenant),
                new NpgsqlBatchCommand("UPDATE link_keys SET exempt = true, cluster = NULL WHERE key = $1") { Parameters = { Sql.Value(key.ToGuid()) } },
            },
        })
        {
            await batch.ExecuteNonQueryAsync(cancellation);
        }
        var change = new JsonObject
        {
            ["key_kind"] = kind.ToString(),
            ["expires_at"] = expiresAt.ToUniversalTime(),
        };
        await AuditLog.AppendAsync(connection, Audited(tenant, author, "key.exempted", $"keys/{key}") with { Change = change.ToJsonString(), Note = reason }, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new StoredExemption(id, key, kind, reason, author, now, Sql.Stored(expiresAt), null, null);
    }

    /// <summary>The key that a reference names, as evidence and graphs show it; null when there is none.</summary>
    /// <param name="reference">12 hexadecimal digits.</param>
    public async Task<LinkKey?> FindKeyAsync(string tenant, string reference, CancellationToken cancellation)
    {
        // The reference is how the key begins. Should two begin alike, the one that ties the tenant's accounts is meant.
        var first = UInt128.Parse(reference, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) << LinkKey.UnreferencedBits;
        await using var command = source.CreateCommand(
            """
            SELECT k.key FROM link_keys k WHERE k.key BETWEEN $2 AND $3
            ORDER BY EXISTS (SELECT FROM cluster_ties t WHERE t.tenant = $1 AND t.key = k.key) DESC, k.key LIMIT 1
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(new LinkKey(first).ToGuid()));
        command.Parameters.Add(Sql.Value(new LinkKey(first | ((UInt128.One << LinkKey.UnreferencedBits) - 1)).ToGuid()));
        return await command.ExecuteScalarAsync(cancellation) is Guid key ? LinkKey.From(key) : null;
    }

    /// <summary>Ends a key's exemption before its time.</summary>
    /// <returns>False when it has none.</returns>
    public async Task<bool> EndExemptionAsync(string tenant, LinkKey key, string author, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        var ended = await EndAsync(connection, tenant, "key = $4", Sql.Value(key.ToGuid()), author, cancellation);
        if (ended > 0) await AuditLog.AppendAsync(connection, Audited(tenant, author, "key.exemption_ended", $"keys/{key}"), clock.GetUtcNow(), cancellation);
        await transaction.CommitAsync(cancellation);
        return ended > 0;
    }

    /// <summary>Ends the tenant's exemptions whose time is up.</summary>
    /// <returns>How many; 0 also when another replica works for the tenant.</returns>
    public async Task<int> EndExpiredAsync(string tenant, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await ClusterLock.TryTakeAsync(connection, tenant, cancellation)) return 0;
        var ended = await EndAsync(connection, tenant, "expires_at <= $4", Sql.Value(clock.GetUtcNow().ToUniversalTime()), Expiry, cancellation);
        await transaction.CommitAsync(cancellation);
        return ended;
    }

    /// <summary>
    /// Takes members out of their network: their ties are cut and stay cut, so the same keys do not pull them back; a new key may. What only they held
    /// together comes apart.
    /// </summary>
    /// <param name="author">1 to 128 characters.</param>
    /// <param name="reason">1 to 1,024 characters.</param>
    /// <returns>Members taken out; those that are not in this network are passed over. Null when there is no such network.</returns>
    public async Task<int?> SplitAsync(string tenant, long cluster, IReadOnlyCollection<long> ordinals, string author, string reason, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        if (!await ExistsAsync(connection, tenant, cluster, cancellation)) return null;
        await using (var command = new NpgsqlCommand(
            """
            UPDATE cluster_ties SET cut_at = $4 WHERE tenant = $1 AND cut_at IS NULL
            AND ordinal IN (SELECT ordinal FROM cluster_members WHERE tenant = $1 AND cluster = $2 AND ordinal = ANY($3))
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Array(ordinals.ToArray()), Sql.Value(clock.GetUtcNow().ToUniversalTime()) },
        })
        {
            if (await command.ExecuteNonQueryAsync(cancellation) == 0) return 0;
        }
        var taken = await InAsync(connection, tenant, cluster, ordinals, cancellation);
        var change = new JsonObject { ["signup_ids"] = new JsonArray([.. taken.Select(id => (JsonNode)id)]) };
        await AuditLog.AppendAsync(connection, Audited(tenant, author, "cluster.split", $"clusters/{cluster}") with { Change = change.ToJsonString(), Note = reason }, clock.GetUtcNow(), cancellation);
        await RebuildAsync(connection, tenant, [cluster], cancellation);
        await transaction.CommitAsync(cancellation);
        return taken.Count;
    }

    /// <summary>The ordinals of signups; those that are not known are left out.</summary>
    public async Task<IReadOnlyList<long>> OrdinalsAsync(string tenant, IReadOnlyCollection<string> signupIds, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT ordinal FROM signup_ids WHERE tenant = $1 AND signup_id = ANY($2)");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(signupIds.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var ordinals = new List<long>();
        while (await reader.ReadAsync(cancellation)) ordinals.Add(reader.GetInt64(0));
        return ordinals;
    }

    internal static async Task<bool> ExistsAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM clusters WHERE tenant = $1 AND id = $2)", connection) { Parameters = { Sql.Value(tenant), Sql.Value(cluster) } };
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static AuditEntry Audited(string tenant, string actor, string action, string subject) => new()
    {
        Tenant = tenant,
        Actor = actor,
        Action = action,
        Subject = subject,
    };

    /// <summary>Those of some signups that are in a network, by their ids.</summary>
    private static async Task<List<string>> InAsync(NpgsqlConnection connection, string tenant, long cluster, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT i.signup_id FROM cluster_members m JOIN signup_ids i USING (tenant, ordinal) WHERE m.tenant = $1 AND m.cluster = $2 AND m.ordinal = ANY($3) ORDER BY m.ordinal",
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Array(ordinals.ToArray()) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var ids = new List<string>();
        while (await reader.ReadAsync(cancellation)) ids.Add(reader.GetString(0));
        return ids;
    }

    private static async Task<(KeyKind Kind, long? Cluster)?> KeyAsync(NpgsqlConnection connection, LinkKey key, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT kind, cluster FROM link_keys WHERE key = $1", connection) { Parameters = { Sql.Value(key.ToGuid()) } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation)) return null;
        return (new KeyKind(reader.GetInt16(0)), reader.IsDBNull(1) ? null : reader.GetInt64(1));
    }

    /// <summary>Ends exemptions in force, and applies the ties they held off.</summary>
    private async Task<int> EndAsync(NpgsqlConnection connection, string tenant, string which, NpgsqlParameter parameter, string by, CancellationToken cancellation)
    {
        var keys = new List<Guid>();
        await using (var command = new NpgsqlCommand($"UPDATE key_exemptions SET ended_at = $2, ended_by = $3 WHERE tenant = $1 AND ended_at IS NULL AND {which} RETURNING key", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(clock.GetUtcNow().ToUniversalTime()), Sql.Value(by), parameter },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) keys.Add(reader.GetGuid(0));
        }
        if (keys.Count == 0) return 0;
        var ties = new List<KeyTie>();
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                LinkageReader.LockLane(tenant),
                new NpgsqlBatchCommand("UPDATE link_keys SET exempt = false WHERE key = ANY($1)") { Parameters = { Sql.Array(keys.ToArray()) } },
                new NpgsqlBatchCommand("SELECT key, kind, array_agg(ordinal ORDER BY ordinal) FROM cluster_ties WHERE tenant = $1 AND key = ANY($2) AND cut_at IS NULL GROUP BY key, kind ORDER BY key")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(keys.ToArray()) },
                },
            },
        })
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellation);
            // The lane's row comes first.
            await reader.NextResultAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) ties.Add(new KeyTie(LinkKey.From(reader.GetGuid(0)), new KeyKind(reader.GetInt16(1)), reader.GetFieldValue<long[]>(2)));
        }
        await ApplyAsync(connection, tenant, ties, [], cancellation);
        return keys.Count;
    }

    /// <summary>Works out networks from the ties of their members: all of the tenant's, or some. The caller holds the worker's lock.</summary>
    private static async Task<int> RebuildAsync(NpgsqlConnection connection, string tenant, long[]? only, CancellationToken cancellation)
    {
        var sizes = new Dictionary<long, long>();
        var ties = new List<StoredTie>();
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT id, size FROM clusters WHERE tenant = $1 AND ($2::bigint[] IS NULL OR id = ANY($2))") { Parameters = { Sql.Value(tenant), Some(only) } },
                new NpgsqlBatchCommand(
                    """
                    SELECT t.key, t.kind, t.ordinal FROM cluster_ties t
                    WHERE t.tenant = $1 AND t.cut_at IS NULL
                      AND NOT EXISTS (SELECT FROM key_exemptions e WHERE e.tenant = $1 AND e.key = t.key AND e.ended_at IS NULL)
                    """
                    + (only is null ? "" : " AND t.ordinal IN (SELECT ordinal FROM cluster_members WHERE tenant = $1 AND cluster = ANY($2))"))
                {
                    Parameters = { Sql.Value(tenant), Some(only) },
                },
            },
        })
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) sizes[reader.GetInt64(0)] = reader.GetInt64(1);
            await reader.NextResultAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) ties.Add(new StoredTie(LinkKey.From(reader.GetGuid(0)), new KeyKind(reader.GetInt16(1)), reader.GetInt64(2)));
        }
        Dictionary<long, MemberFacts> members;
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { MemberRows(tenant, [.. ties.Select(tie => tie.Ordinal).Distinct()]) } })
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellation);
            members = await ReadMembersAsync(reader, cancellation);
        }
        var rebuilt = ClusterRebuild.FromTies(ties.Where(tie => members.ContainsKey(tie.Ordinal)), ordinal => members[ordinal], id => sizes.GetValueOrDefault(id));
        await WriteAsync(connection, tenant, [.. sizes.Keys], rebuilt, cancellation);
        return rebuilt.Count;
    }

    private static NpgsqlParameter Some(long[]? ids) => Sql.Nullable(ids, NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Bigint);

    private static async Task WriteAsync(NpgsqlConnection connection, string tenant, long[] before, IReadOnlyList<RebuiltCluster> rebuilt, CancellationToken cancellation)
    {
        var members = rebuilt.SelectMany(cluster => cluster.Members.Select(ordinal => (Ordinal: ordinal, cluster.Facts.Id))).ToList();
        var keys = rebuilt.SelectMany(cluster => cluster.Keys.Select(key => (Key: key, cluster.Facts.Id))).OrderBy(item => item.Key.Hash).ToList();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("DELETE FROM clusters WHERE tenant = $1 AND id = ANY($2)") { Parameters = { Sql.Value(tenant), Sql.Array(before) } },
                new NpgsqlBatchCommand("DELETE FROM cluster_members WHERE tenant = $1 AND cluster = ANY($2)") { Parameters = { Sql.Value(tenant), Sql.Array(before) } },
                ClusterRow.Upsert(tenant, [.. rebuilt.Select(cluster => (cluster.Facts, cluster.LastHour))]),
                new NpgsqlBatchCommand("INSERT INTO cluster_members (tenant, ordinal, cluster) SELECT $1, * FROM unnest($2, $3)")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(members.ConvertAll(item => item.Ordinal).ToArray()), Sql.Array(members.ConvertAll(item => item.Id).ToArray()) },
                },
                // Where a look waited, it waits for every part.
                new NpgsqlBatchCommand(
                    """
                    WITH gone AS (DELETE FROM second_looks WHERE tenant = $1 AND cluster = ANY($2) RETURNING requested_at)
                    INSERT INTO second_looks (tenant, cluster, requested_at) SELECT $1, u, (SELECT min(requested_at) FROM gone) FROM unnest($3) AS u WHERE EXISTS (SELECT FROM gone)
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(before), Sql.Array(rebuilt.Select(cluster => cluster.Facts.Id).ToArray()) },
                },
                // Keys last and under the lane's lock, as screening changes them: no order of locks can cross.
                LinkageReader.LockLane(tenant),
                new NpgsqlBatchCommand("UPDATE link_keys SET cluster = NULL WHERE cluster = ANY($1) AND EXISTS (SELECT FROM cluster_ties t WHERE t.tenant = $2 AND t.key = link_keys.key)")
                {
                    Parameters = { Sql.Array(before), Sql.Value(tenant) },
                },
                new NpgsqlBatchCommand("UPDATE link_keys SET cluster = u.cluster FROM unnest($1, $2) AS u (key, cluster) WHERE link_keys.key = u.key")
                {
                    Parameters = { Sql.Array(keys.ConvertAll(item => item.Key.ToGuid()).ToArray()), Sql.Array(keys.ConvertAll(item => item.Id).ToArray()) },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}
