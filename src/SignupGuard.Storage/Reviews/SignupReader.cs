using Npgsql;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>What is stored of a signup besides its row in lists.</summary>
/// <param name="Sealed">The request and its signals.</param>
/// <param name="Known">Links, network and lists of the last decision that was made from them; null when it has none.</param>
public sealed record SignupContent(byte[] Sealed, DecisionFacts? Known);

/// <summary>Accounts on a link key.</summary>
/// <param name="Ordinals">Signups that brought one: those the key remembers and those it ties.</param>
public sealed record KeyAccounts(LinkKey Key, bool Exempt, IReadOnlyCollection<long> Ordinals);

/// <summary>Reads signups as reviewers see them.</summary>
public sealed class SignupReader(NpgsqlDataSource source)
{
    /// <summary>Latest signups a key ties that are read of it, besides those it remembers itself.</summary>
    private const int TiedMax = 100;

    /// <summary>A person's decision has no facts of its own: those before it still tell what the signup linked to.</summary>
    private static readonly string LastFromLinks = DecisionRow.Latest("d.facts", "i", " AND d.facts IS NOT NULL");

    /// <summary>Null when there is no such signup.</summary>
    public async Task<FoundSignup?> GetAsync(string tenant, string signupId, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(FoundSignupRow.Select("(SELECT * FROM signup_ids WHERE tenant = $1 AND signup_id = $2)"));
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(signupId));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? FoundSignupRow.Read(reader) : null;
    }

    /// <summary>By ordinal; those that are gone are left out.</summary>
    public async Task<Dictionary<long, FoundSignup>> GetAsync(string tenant, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        var found = new Dictionary<long, FoundSignup>();
        if (ordinals.Count == 0) return found;
        await using var command = source.CreateCommand(FoundSignupRow.Select("(SELECT * FROM signup_ids WHERE tenant = $1 AND ordinal = ANY($2))"));
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(ordinals.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            if (FoundSignupRow.Read(reader) is { } signup) found[signup.Ordinal] = signup;
        }
        return found;
    }

    /// <summary>By ordinal; those that are gone are left out.</summary>
    public async Task<Dictionary<long, SignupContent>> ContentAsync(string tenant, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        var contents = new Dictionary<long, SignupContent>();
        if (ordinals.Count == 0) return contents;
        await using var command = source.CreateCommand(
            $"""
            SELECT i.ordinal, s.facts, d.facts
            FROM (SELECT * FROM signup_ids WHERE tenant = $1 AND ordinal = ANY($2)) i
            JOIN LATERAL (SELECT s.facts FROM signups s WHERE s.tenant = $1 AND s.ordinal = i.ordinal AND s.recorded_at = i.recorded_at LIMIT 1) s ON true
            LEFT JOIN {LastFromLinks} ON true
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(ordinals.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            contents[reader.GetInt64(0)] = new SignupContent(
                reader.GetFieldValue<byte[]>(1), await reader.IsDBNullAsync(2, cancellation) ? null : DecisionFacts.Decode(reader.GetFieldValue<byte[]>(2)));
        }
        return contents;
    }

    /// <summary>What links signups: of the last decision that was made from links; those without are left out.</summary>
    public async Task<Dictionary<long, DecisionFacts>> LinksAsync(string tenant, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        var links = new Dictionary<long, DecisionFacts>();
        if (ordinals.Count == 0) return links;
        await using var command = source.CreateCommand(
            $"""
            SELECT i.ordinal, d.facts
            FROM (SELECT * FROM signup_ids WHERE tenant = $1 AND ordinal = ANY($2)) i
            JOIN {LastFromLinks} ON true
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(ordinals.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) links[reader.GetInt64(0)] = DecisionFacts.Decode(reader.GetFieldValue<byte[]>(1));
        return links;
    }

    /// <summary>Keys that tie a signup to others: none that were cut.</summary>
    public async Task<IReadOnlyList<LinkKey>> TiesAsync(string tenant, long ordinal, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT key FROM cluster_ties WHERE tenant = $1 AND ordinal = $2 AND cut_at IS NULL");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(ordinal));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var keys = new List<LinkKey>();
        while (await reader.ReadAsync(cancellation)) keys.Add(LinkKey.From(reader.GetGuid(0)));
        return keys;
    }

    /// <summary>Who is on keys, as far as they remember; keys that are forgotten are left out.</summary>
    public async Task<IReadOnlyList<KeyAccounts>> AccountsAsync(string tenant, IReadOnlyCollection<LinkKey> keys, CancellationToken cancellation)
    {
        if (keys.Count == 0) return [];
        await using var command = source.CreateCommand(
            $"""
            SELECT k.key, k.cluster, k.state, k.exempt, t.ordinals
            FROM link_keys k
            JOIN LATERAL (
                SELECT coalesce(array_agg(t.ordinal), ARRAY[]::bigint[]) AS ordinals
                FROM (SELECT t.ordinal FROM cluster_ties t WHERE t.tenant = $1 AND t.key = k.key AND t.cut_at IS NULL ORDER BY t.ordinal DESC LIMIT {TiedMax}) t) t ON true
            WHERE k.key = ANY($2)
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Array(keys.Select(key => key.ToGuid()).ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var accounts = new List<KeyAccounts>();
        while (await reader.ReadAsync(cancellation))
        {
            var state = StateCodec.DecodeKey(reader.GetFieldValue<byte[]>(2), 0);
            var ordinals = new HashSet<long>(reader.GetFieldValue<long[]>(4));
            for (var i = 0; i < state.MemberCount; i++) ordinals.Add(state.MemberAt(i).Ordinal);
            accounts.Add(new KeyAccounts(LinkKey.From(reader.GetGuid(0)), reader.GetBoolean(3), ordinals));
        }
        return accounts;
    }
}
