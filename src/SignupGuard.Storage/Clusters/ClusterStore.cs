using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Clusters;

/// <summary>
/// The worker's side of linkage: joins networks by the ties that screening left behind, and decides their members again.
/// Any replica may call it at any time; a row lock lets one work for a tenant while the others go home.
/// </summary>
public sealed partial class ClusterStore(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Signups whose ties are applied in one transaction.</summary>
    public const int EventsMax = 500;

    /// <summary>Members decided again in one transaction.</summary>
    public const int MembersMax = 200;

    /// <summary>Days after its recording for which a signup can be decided again.</summary>
    public const int SecondLookDays = 30;

    /// <summary>Tenants for which there is work.</summary>
    public async Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            """
            SELECT tenant FROM link_events UNION SELECT tenant FROM second_looks
            UNION SELECT tenant FROM key_exemptions WHERE ended_at IS NULL AND expires_at <= $1
            """);
        command.Parameters.Add(Sql.Value(clock.GetUtcNow().ToUniversalTime()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var tenants = new List<string>();
        while (await reader.ReadAsync(cancellation)) tenants.Add(reader.GetString(0));
        return tenants;
    }

    /// <summary>Applies the oldest waiting ties of a tenant.</summary>
    /// <returns>Signups whose ties were applied; 0 when there are none, or another replica works for the tenant.</returns>
    public async Task<int> ApplyTiesAsync(string tenant, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await ClusterLock.TryTakeAsync(connection, tenant, cancellation)) return 0;

        var events = new List<(long Ordinal, List<KeyTie> Ties)>();
        await using (var command = new NpgsqlCommand($"SELECT ordinal, ties FROM link_events WHERE tenant = $1 ORDER BY ordinal LIMIT {EventsMax}", connection))
        {
            command.Parameters.Add(Sql.Value(tenant));
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) events.Add((reader.GetInt64(0), KeyTieCodec.Decode(reader.GetFieldValue<byte[]>(1))));
        }
        if (events.Count == 0) return 0;

        await ApplyAsync(connection, tenant, events.SelectMany(item => item.Ties).ToList(), events.ConvertAll(item => item.Ordinal), cancellation);
        await transaction.CommitAsync(cancellation);
        return events.Count;
    }

    /// <summary>
    /// The second look: decides the next chunk of members again, of the network that waits for it longest. Each change is a new revision of the
    /// decision. How far it came is stored with it, so that whoever comes next goes on there; running it again changes nothing more.
    /// </summary>
    /// <param name="open">Opens a signup's stored facts; null when they can't be read, then its decision stays.</param>
    /// <param name="lists">The lists that a signup is on, as known now; null where there are none.</param>
    /// <returns>Null when nothing waits, or another replica works for the tenant.</returns>
    public async Task<SecondLookChunk?> LookAgainAsync(
        string tenant,
        Policy policy,
        LinkKeyDerivation derivation,
        Func<byte[], OpenedFacts?> open,
        Func<LinkableSignup, ListHits>? lists,
        CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await ClusterLock.TryTakeAsync(connection, tenant, cancellation)) return null;
        if (await NextAsync(connection, tenant, cancellation) is not var (cluster, reached)) return null;

        var waiting = await MembersAsync(connection, tenant, cluster, reached, cancellation);
        var chunk = waiting.Count == 0 ? default : await DecideAgainAsync(connection, tenant, cluster, policy, derivation, open, lists, waiting, cancellation);
        await using (var command = new NpgsqlCommand(
            waiting.Count < MembersMax
                ? "DELETE FROM second_looks WHERE tenant = $1 AND cluster = $2"
                : "UPDATE second_looks SET reached = $3 WHERE tenant = $1 AND cluster = $2",
            connection))
        {
            command.Parameters.Add(Sql.Value(tenant));
            command.Parameters.Add(Sql.Value(cluster));
            if (waiting.Count == MembersMax) command.Parameters.Add(Sql.Value(waiting[^1].Ordinal));
            await command.ExecuteNonQueryAsync(cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return chunk;
    }

    /// <summary>Asks for a second look at networks, or for another from the beginning.</summary>
    private static NpgsqlBatchCommand AskForLooks(string tenant, long[] clusters, DateTimeOffset now) =>
        new("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT $1, u, $3 FROM unnest($2) AS u ON CONFLICT (tenant, cluster) DO UPDATE SET reached = 0")
        {
            Parameters = { Sql.Value(tenant), Sql.Array(clusters), Sql.Value(now.ToUniversalTime()) },
        };

    private static async Task<(long Cluster, long Reached)?> NextAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT cluster, reached FROM second_looks WHERE tenant = $1 ORDER BY requested_at, cluster LIMIT 1", connection);
        command.Parameters.Add(Sql.Value(tenant));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? (reader.GetInt64(0), reader.GetInt64(1)) : null;
    }

    private sealed record Waiting(long Ordinal, DateTimeOffset RecordedAt, byte[] Facts, Label Label, StoredDecision InForce);

    private async Task<List<Waiting>> MembersAsync(NpgsqlConnection connection, string tenant, long cluster, long from, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT s.facts, coalesce(l.label, 0), {DecisionRow.Columns}
            FROM cluster_members m
            JOIN signup_ids i ON i.tenant = m.tenant AND i.ordinal = m.ordinal
            JOIN signups s ON s.tenant = m.tenant AND s.ordinal = m.ordinal AND s.recorded_at = i.recorded_at
            LEFT JOIN labels l ON l.tenant = m.tenant AND l.ordinal = m.ordinal
            JOIN {DecisionRow.Latest("*", "i")} ON true
            WHERE m.tenant = $1 AND m.cluster = $2 AND m.ordinal > $3 AND i.recorded_at > $4
            ORDER BY m.ordinal LIMIT {MembersMax}
            """,
            connection);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(cluster));
        command.Parameters.Add(Sql.Value(from));
        command.Parameters.Add(Sql.Value(clock.GetUtcNow().AddDays(-SecondLookDays).ToUniversalTime()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = new List<Waiting>();
        while (await reader.ReadAsync(cancellation))
        {
            var decision = DecisionRow.Read(reader, 2);
            members.Add(new Waiting(decision.Ordinal, decision.RecordedAt, reader.GetFieldValue<byte[]>(0), (Label)reader.GetInt16(1), decision));
        }
        return members;
    }

    private async Task<SecondLookChunk> DecideAgainAsync(
        NpgsqlConnection connection,
        string tenant,
        long cluster,
        Policy policy,
        LinkKeyDerivation derivation,
        Func<byte[], OpenedFacts?> open,
        Func<LinkableSignup, ListHits>? lists,
        List<Waiting> waiting,
        CancellationToken cancellation)
    {
        // A denied member can't be decided more severely; a cleared one stays cleared.
        var candidates = new List<(Waiting Member, LinkableSignup Linkable)>(waiting.Count);
        var unreadable = 0;
        foreach (var member in waiting.Where(member => SecondLook.CanChange(member.InForce.Body.Verdict, member.Label)))
        {
            if (open(member.Facts) is not var (signup, signals))
            {
                unreadable++;
                continue;
            }
            var linkable = new LinkableSignup(signup, signals, derivation.Derive(tenant, signup, signals));
            candidates.Add((member, lists is null ? linkable : linkable with { Lists = lists(linkable) }));
        }
        var state = await LinkageReader.ReadAsync(connection, tenant, candidates.ConvertAll(item => item.Linkable.Keys), cancellation);
        var screener = new Screener(policy);
        var now = clock.GetUtcNow();
        var changed = new List<(string Tenant, StoredDecision Decision)>();
        var denied = 0L;
        foreach (var (member, linkable) in candidates)
        {
            var judgement = screener.LookAgain(state.Keys, state.Lane, linkable, state.Clusters.GetValueOrDefault);
            if (!SecondLook.Changes(member.InForce.Body.Verdict, member.Label, judgement.Verdict)) continue;
            if (judgement.Verdict == Verdict.Deny)
            {
                denied++;
                // The members after it see it, whether in this chunk or the next.
                if (state.Clusters.TryGetValue(cluster, out var facts)) state.Clusters[cluster] = facts with { Denied = facts.Denied + 1 };
            }
            changed.Add((tenant, member.InForce with
            {
                DecisionId = Guid.CreateVersion7(now),
                Revision = member.InForce.Revision + 1,
                PolicyVersion = policy.Version,
                DecidedAt = now,
                Cause = DecisionCause.Network,
                Body = ScreeningStore.Body(judgement, linkable, screener, state.Keys, member.Ordinal),
                Facts = DecisionFacts.Encode(screener.Links, screener.Cluster, linkable.Lists),
            }));
        }
        var chunk = new SecondLookChunk(waiting.Count, changed.Count, unreadable);
        if (changed.Count == 0) return chunk;
        await ScreeningStore.NameSamplesAsync(connection, changed, [], cancellation);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                DecisionRow.Insert(changed),
                new NpgsqlBatchCommand("UPDATE clusters SET denied = denied + $3 WHERE tenant = $1 AND id = $2")
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Value(denied) },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
        return chunk;
    }

    /// <summary>Joins networks by ties and stores what changed.</summary>
    /// <param name="applied">Signups whose waiting ties these were.</param>
    private async Task ApplyAsync(NpgsqlConnection connection, string tenant, List<KeyTie> ties, List<long> applied, CancellationToken cancellation)
    {
        var graph = new ClusterGraph();
        var (usable, members) = await LoadAsync(connection, tenant, ties, graph, cancellation);
        var changes = new ClusterChanges();
        // A signup past its retention has left its keys' memory behind: it can't join any more.
        graph.Apply(usable.ConvertAll(tie => tie with { Ordinals = [.. tie.Ordinals.Where(ordinal => members.ContainsKey(ordinal) || graph.ClusterOf(ordinal) != 0)] }), ordinal => members[ordinal], changes);
        await WriteAsync(connection, tenant, graph, changes, applied, cancellation);
    }

    /// <summary>
    /// What may be applied of ties: not those of exempt keys, nor those cut by hand. A key whose network was undone begins with the accounts that
    /// are still tied to it.
    /// </summary>
    private static async Task<List<KeyTie>> UsableAsync(NpgsqlConnection connection, string tenant, List<KeyTie> ties, CancellationToken cancellation)
    {
        var keys = ties.ConvertAll(tie => tie.Key.ToGuid()).Distinct().ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT key FROM link_keys WHERE key = ANY($1) AND exempt") { Parameters = { Sql.Array(keys) } },
                new NpgsqlBatchCommand("SELECT key, ordinal FROM cluster_ties WHERE tenant = $1 AND key = ANY($2) AND cut_at IS NOT NULL") { Parameters = { Sql.Value(tenant), Sql.Array(keys) } },
                new NpgsqlBatchCommand(
                    "SELECT t.key, t.ordinal FROM cluster_ties t JOIN link_keys k USING (key) WHERE t.tenant = $1 AND t.key = ANY($2) AND t.cut_at IS NULL AND k.cluster IS NULL ORDER BY t.ordinal")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(keys) },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var exempt = new HashSet<LinkKey>();
        while (await reader.ReadAsync(cancellation)) exempt.Add(LinkKey.From(reader.GetGuid(0)));
        await reader.NextResultAsync(cancellation);
        var cut = new HashSet<(LinkKey, long)>();
        while (await reader.ReadAsync(cancellation)) cut.Add((LinkKey.From(reader.GetGuid(0)), reader.GetInt64(1)));
        await reader.NextResultAsync(cancellation);
        var left = new Dictionary<LinkKey, List<long>>();
        while (await reader.ReadAsync(cancellation))
        {
            var key = LinkKey.From(reader.GetGuid(0));
            if (!left.TryGetValue(key, out var ordinals)) left[key] = ordinals = [];
            ordinals.Add(reader.GetInt64(1));
        }
        return
        [
            .. ties.Where(tie => !exempt.Contains(tie.Key)).Select(tie => tie with
            {
                Ordinals = [.. left.GetValueOrDefault(tie.Key, []).Concat(tie.Ordinals).Distinct().Where(ordinal => !cut.Contains((tie.Key, ordinal)))],
            }),
        ];
    }

    /// <summary>Loads into a graph what is stored of the keys and signups of ties; gives the ties that may be applied, and the facts of their signups.</summary>
    private static async Task<(List<KeyTie> Usable, Dictionary<long, MemberFacts> Members)> LoadAsync(
        NpgsqlConnection connection,
        string tenant,
        List<KeyTie> waiting,
        ClusterGraph graph,
        CancellationToken cancellation)
    {
        var ties = await UsableAsync(connection, tenant, waiting, cancellation);
        var keys = ties.ConvertAll(tie => tie.Key.ToGuid()).Distinct().ToArray();
        var ordinals = ties.SelectMany(tie => tie.Ordinals).Distinct().ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    $"""
                    SELECT {ClusterRow.Columns} FROM clusters c WHERE c.tenant = $1 AND c.id IN (
                        SELECT cluster FROM link_keys WHERE key = ANY($2) AND cluster IS NOT NULL
                        UNION SELECT cluster FROM cluster_members WHERE tenant = $1 AND ordinal = ANY($3))
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(keys), Sql.Array(ordinals) },
                },
                new NpgsqlBatchCommand("SELECT key, cluster FROM link_keys WHERE key = ANY($1) AND cluster IS NOT NULL") { Parameters = { Sql.Array(keys) } },
                new NpgsqlBatchCommand("SELECT ordinal, cluster FROM cluster_members WHERE tenant = $1 AND ordinal = ANY($2)")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(ordinals) },
                },
                MemberRows(tenant, ordinals),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var (facts, lastHour) = ClusterRow.Read(reader);
            graph.Load(facts, lastHour);
        }
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) graph.LoadKey(LinkKey.From(reader.GetGuid(0)), reader.GetInt64(1));
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) graph.LoadMember(reader.GetInt64(0), reader.GetInt64(1));
        await reader.NextResultAsync(cancellation);
        return (ties, await ReadMembersAsync(reader, cancellation));
    }

    /// <summary>What a network has to know of signups; those past their retention are left out.</summary>
    private static NpgsqlBatchCommand MemberRows(string tenant, long[] ordinals) =>
        new(
            $"""
            SELECT s.ordinal, s.occurred_at, d.verdict, coalesce(l.label, 0)
            FROM signup_ids i
            JOIN signups s ON s.tenant = i.tenant AND s.ordinal = i.ordinal AND s.recorded_at = i.recorded_at
            LEFT JOIN labels l ON l.tenant = i.tenant AND l.ordinal = i.ordinal
            JOIN {DecisionRow.Latest("d.verdict", "i")} ON true
            WHERE i.tenant = $1 AND i.ordinal = ANY($2)
            """)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(ordinals) },
        };

    private static async Task<Dictionary<long, MemberFacts>> ReadMembersAsync(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        var members = new Dictionary<long, MemberFacts>();
        while (await reader.ReadAsync(cancellation))
            members[reader.GetInt64(0)] = new MemberFacts(reader.GetFieldValue<DateTimeOffset>(1).ToUnixTimeMilliseconds(), (Verdict)reader.GetInt16(2), (Label)reader.GetInt16(3));
        return members;
    }

    private async Task WriteAsync(NpgsqlConnection connection, string tenant, ClusterGraph graph, ClusterChanges changes, List<long> applied, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var clusters = changes.Touched.Order().Select(id => (Facts: graph.Find(id)!, LastHour: graph.LastHour(id))).ToList();
        var members = changes.Ties.Select(tie => tie.Ordinal).Distinct().Order().ToArray();
        var keys = changes.Ties.Select(tie => tie.Key).Distinct().OrderBy(key => key.Hash).ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("INSERT INTO cluster_ties (tenant, key, kind, ordinal) SELECT $1, * FROM unnest($2, $3, $4) ON CONFLICT DO NOTHING")
                {
                    Parameters =
                    {
                        Sql.Value(tenant),
                        Sql.Array(changes.Ties.ConvertAll(tie => tie.Key.ToGuid()).ToArray()),
                        Sql.Array(changes.Ties.ConvertAll(tie => tie.Kind.Code).ToArray()),
                        Sql.Array(changes.Ties.ConvertAll(tie => tie.Ordinal).ToArray()),
                    },
                },
                new NpgsqlBatchCommand(
                    "INSERT INTO cluster_members (tenant, ordinal, cluster) SELECT $1, * FROM unnest($2, $3) ON CONFLICT (tenant, ordinal) DO UPDATE SET cluster = EXCLUDED.cluster WHERE cluster_members.cluster <> EXCLUDED.cluster")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(members), Sql.Array(members.Select(graph.ClusterOf).ToArray()) },
                },
            },
        };
        foreach (var merge in changes.Merges)
        {
            var into = graph.Find(merge.Into)!.Id;
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE cluster_members SET cluster = $3 WHERE tenant = $1 AND cluster = $2")
            {
                Parameters = { Sql.Value(tenant), Sql.Value(merge.From), Sql.Value(into) },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM clusters WHERE tenant = $1 AND id = $2") { Parameters = { Sql.Value(tenant), Sql.Value(merge.From) } });
            // A look that waits for the one is one that waits for both.
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                WITH gone AS (DELETE FROM second_looks WHERE tenant = $1 AND cluster = $2 RETURNING requested_at)
                INSERT INTO second_looks (tenant, cluster, requested_at) SELECT $1, $3, requested_at FROM gone ON CONFLICT (tenant, cluster) DO UPDATE SET reached = 0
                """)
            {
                Parameters = { Sql.Value(tenant), Sql.Value(merge.From), Sql.Value(into) },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO cluster_merges (tenant, merged_at, into_cluster, from_cluster, key, ordinal) VALUES ($1, $2, $3, $4, $5, $6)")
            {
                Parameters =
                {
                    Sql.Value(tenant),
                    Sql.Value(now.ToUniversalTime()),
                    Sql.Value(merge.Into),
                    Sql.Value(merge.From),
                    Sql.Value(merge.Key.ToGuid()),
                    Sql.Value(merge.Ordinal),
                },
            });
        }
        batch.BatchCommands.Add(ClusterRow.Upsert(tenant, clusters));
        batch.BatchCommands.Add(AskForLooks(tenant, [.. changes.SecondLooks.Order()], now));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM link_events WHERE tenant = $1 AND ordinal = ANY($2)") { Parameters = { Sql.Value(tenant), Sql.Array(applied.ToArray()) } });
        // Keys last and under the lane's lock, as screening changes them: no order of locks can cross.
        batch.BatchCommands.Add(LinkageReader.LockLane(tenant));
        foreach (var merge in changes.Merges)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE link_keys SET cluster = $2 WHERE cluster = $1 AND EXISTS (SELECT FROM cluster_ties t WHERE t.tenant = $3 AND t.key = link_keys.key)")
            {
                Parameters = { Sql.Value(merge.From), Sql.Value(graph.Find(merge.Into)!.Id), Sql.Value(tenant) },
            });
        }
        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE link_keys SET cluster = u.cluster FROM unnest($1, $2) AS u (key, cluster) WHERE link_keys.key = u.key AND link_keys.cluster IS DISTINCT FROM u.cluster")
        {
            Parameters = { Sql.Array(keys.Select(key => key.ToGuid()).ToArray()), Sql.Array(keys.Select(graph.ClusterOf).ToArray()) },
        });
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}

/// <summary>What one transaction of a second look did.</summary>
/// <param name="Members">Looked at.</param>
/// <param name="Changed">Decided otherwise.</param>
/// <param name="Unreadable">Whose stored facts could not be opened: their decisions stay.</param>
public readonly record struct SecondLookChunk(int Members, int Changed, int Unreadable);

/// <summary>A signup and its signals, decrypted.</summary>
public sealed record OpenedFacts(Core.Signups.Signup Signup, Core.Signals.SignupSignals Signals);
