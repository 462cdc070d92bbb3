using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>A member of a network, by the decision in force.</summary>
public sealed record StoredMember(long Ordinal, string SignupId, DateTimeOffset RecordedAt, Verdict Verdict, double Score, Label Label);

/// <summary>A key that members of a network share.</summary>
/// <param name="Accounts">Accounts on it, in this network or not; 0 when the key is forgotten.</param>
/// <param name="Members">Ordinals of those it ties.</param>
public sealed record StoredTieKey(LinkKey Key, KeyKind Kind, long Accounts, bool Exempt, IReadOnlyList<long> Members);

public sealed record StoredGrowth(DateTimeOffset Hour, long Members, long Denied);

/// <summary>A network as it is, or the first part of it.</summary>
/// <param name="Members">In the order they came.</param>
/// <param name="Keys">Those that tie most first.</param>
/// <param name="Growth">Of all members, also those left out.</param>
public sealed record StoredNetwork(ClusterFacts Facts, ClusterMark Mark, IReadOnlyList<StoredMember> Members, IReadOnlyList<StoredTieKey> Keys, IReadOnlyList<StoredGrowth> Growth, bool Truncated);

/// <summary>Reads networks as graphs.</summary>
public sealed class ClusterReader(NpgsqlDataSource source)
{
    /// <summary>Keys of one graph, those with most members first.</summary>
    public const int KeysMax = 5_000;

    /// <summary>Members whose growth is told, the first ones.</summary>
    private const int GrowthMembersMax = 100_000;

    /// <summary>Null when there is no such network.</summary>
    /// <param name="membersMax">The newest are left out.</param>
    public async Task<StoredNetwork?> GetAsync(string tenant, long cluster, int membersMax, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        if (await FactsAsync(connection, tenant, cluster, cancellation) is not { } facts) return null;
        var mark = await ClusterMark.ReadAsync(connection, tenant, cluster, cancellation);
        var members = await MembersAsync(connection, tenant, cluster, membersMax + 1, cancellation);
        var truncated = members.Count > membersMax;
        if (truncated) members.RemoveAt(membersMax);
        var keys = await KeysAsync(connection, tenant, members.ConvertAll(member => member.Ordinal), cancellation);
        var growth = truncated
            ? await GrowthAsync(connection, tenant, cluster, cancellation)
            : [.. members.GroupBy(member => ReviewStatistics.Hour(member.RecordedAt)).OrderBy(hour => hour.Key)
                .Select(hour => new StoredGrowth(hour.Key, hour.Count(), hour.Count(member => member.Verdict == Verdict.Deny)))];
        return new StoredNetwork(facts, mark, members, keys, growth, truncated);
    }

    private static async Task<ClusterFacts?> FactsAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"SELECT {ClusterRow.Columns} FROM clusters c WHERE c.tenant = $1 AND c.id = $2", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? ClusterRow.Read(reader).Facts : null;
    }

    private static async Task<List<StoredMember>> MembersAsync(NpgsqlConnection connection, string tenant, long cluster, int max, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT i.ordinal, i.signup_id, i.recorded_at, d.verdict, d.score, coalesce(l.label, 0)::smallint
            FROM (SELECT ordinal FROM cluster_members WHERE tenant = $1 AND cluster = $2 ORDER BY ordinal LIMIT $3) m
            JOIN LATERAL (SELECT i.ordinal, i.signup_id, i.recorded_at FROM signup_ids i WHERE i.tenant = $1 AND i.ordinal = m.ordinal LIMIT 1) i ON true
            JOIN {DecisionRow.Latest("d.verdict, d.score", "i")} ON true
            LEFT JOIN LATERAL (SELECT l.label FROM labels l WHERE l.tenant = $1 AND l.ordinal = m.ordinal LIMIT 1) l ON true
            ORDER BY m.ordinal
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Value((long)max) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = new List<StoredMember>();
        while (await reader.ReadAsync(cancellation))
        {
            members.Add(new StoredMember(
                reader.GetInt64(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), (Verdict)reader.GetInt16(3), reader.GetDouble(4), (Label)reader.GetInt16(5)));
        }
        return members;
    }

    private static async Task<List<StoredTieKey>> KeysAsync(NpgsqlConnection connection, string tenant, List<long> members, CancellationToken cancellation)
    {
        var ties = new Dictionary<LinkKey, (KeyKind Kind, List<long> Members)>();
        await using (var command = new NpgsqlCommand("SELECT key, kind, ordinal FROM cluster_ties WHERE tenant = $1 AND ordinal = ANY($2) AND cut_at IS NULL ORDER BY ordinal", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(members) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                var key = LinkKey.From(reader.GetGuid(0));
                if (!ties.TryGetValue(key, out var tie)) ties[key] = tie = (new KeyKind(reader.GetInt16(1)), []);
                tie.Members.Add(reader.GetInt64(2));
            }
        }
        var shown = ties.OrderByDescending(tie => tie.Value.Members.Count).ThenBy(tie => tie.Key.Hash).Take(KeysMax).ToList();
        var states = new Dictionary<LinkKey, (long Accounts, bool Exempt)>();
        await using (var command = new NpgsqlCommand("SELECT key, state, exempt FROM link_keys WHERE key = ANY($1)", connection)
        {
            Parameters = { Sql.Array(shown.ConvertAll(tie => tie.Key.ToGuid())) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                states[LinkKey.From(reader.GetGuid(0))] = (StateCodec.DecodeKey(reader.GetFieldValue<byte[]>(1), 0).Accounts, reader.GetBoolean(2));
        }
        return shown.ConvertAll(tie =>
        {
            var (accounts, exempt) = states.GetValueOrDefault(tie.Key);
            return new StoredTieKey(tie.Key, tie.Value.Kind, accounts, exempt, tie.Value.Members);
        });
    }

    private static async Task<List<StoredGrowth>> GrowthAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation)
    {
        // Whoever was denied was flagged: cases know it without a look at all decisions.
        await using var command = new NpgsqlCommand(
            $"""
            SELECT date_trunc('hour', i.recorded_at, 'UTC') AS hour, count(*), count(*) FILTER (WHERE s.verdict = {(short)Verdict.Deny})
            FROM (SELECT ordinal FROM cluster_members WHERE tenant = $1 AND cluster = $2 ORDER BY ordinal LIMIT {GrowthMembersMax}) m
            JOIN signup_ids i ON i.tenant = $1 AND i.ordinal = m.ordinal
            LEFT JOIN case_signups s ON s.tenant = $1 AND s.ordinal = m.ordinal
            GROUP BY hour ORDER BY hour
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var growth = new List<StoredGrowth>();
        while (await reader.ReadAsync(cancellation)) growth.Add(new StoredGrowth(reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1), reader.GetInt64(2)));
        return growth;
    }
}
