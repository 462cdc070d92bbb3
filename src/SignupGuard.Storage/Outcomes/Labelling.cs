using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Outcomes;

/// <summary>An account that a person or an outcome judged.</summary>
/// <param name="First">Its first decision, which knows every key of it.</param>
/// <param name="InForce">The decision until now.</param>
/// <param name="Changed">The decision from now on; null where its verdict stays.</param>
internal sealed record JudgedAccount(StoredDecision First, StoredDecision InForce, StoredDecision? Changed)
{
    /// <summary>Of all decisions on an account, oldest first, and what it is found to be.</summary>
    public static JudgedAccount Of(IReadOnlyList<StoredDecision> history, Verdict? verdict, string cause, string code, string text, DateTimeOffset now)
    {
        var inForce = history[^1];
        var changed = verdict is not { } other || other == inForce.Body.Verdict ? null : inForce with
        {
            DecisionId = Guid.CreateVersion7(now),
            Revision = inForce.Revision + 1,
            DecidedAt = now,
            Cause = cause,
            Body = inForce.Body with
            {
                Verdict = other,
                Reasons = [new StoredReason(code, text, 0, null), .. inForce.Body.Reasons],
            },
        };
        return new JudgedAccount(history[0], inForce, changed);
    }
}

/// <summary>What follows when it is known what accounts are: labels on them, on their keys and their network, a second look at it, and the decisions that change.</summary>
internal static class Labelling
{
    /// <summary>
    /// Writes it all, in three round trips however many accounts. The caller holds the networks' lock (<see cref="Clusters.ClusterLock"/>) and has done
    /// whatever else belongs to the transaction: from here to its end the tenant's screening waits.
    /// </summary>
    /// <param name="label">None leaves labels as they are.</param>
    /// <param name="by">Who says so; null: an outcome.</param>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        string tenant,
        IReadOnlyList<JudgedAccount> accounts,
        Label label,
        string? by,
        DateTimeOffset now,
        CancellationToken cancellation)
    {
        if (accounts.Count == 0) return;
        var before = label == Label.None ? [] : await RelabelAsync(connection, tenant, accounts, label, by, now, cancellation);
        var relabelled = accounts.Where(account => before.TryGetValue(account.First.Ordinal, out var was) && was != label).ToList();
        var changed = accounts.Where(account => account.Changed is not null).Select(account => (tenant, account.Changed!)).ToList();
        await using var batch = new NpgsqlBatch(connection);
        if (relabelled.Count > 0)
        {
            await AddKeysAsync(batch, connection, tenant, relabelled.ConvertAll(account => (account.First, before[account.First.Ordinal])), label, cancellation);
            var ordinals = relabelled.ConvertAll(account => account.First.Ordinal);
            batch.BatchCommands.Add(Count(
                tenant,
                ordinals,
                "confirmed_bad = c.confirmed_bad + u.a, confirmed_good = c.confirmed_good + u.b",
                relabelled.ConvertAll(account => Is(label, Label.Bad) - Is(before[account.First.Ordinal], Label.Bad)),
                relabelled.ConvertAll(account => Is(label, Label.Good) - Is(before[account.First.Ordinal], Label.Good))));
            if (label == Label.Bad)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(
                    """
                    INSERT INTO second_looks (tenant, cluster, requested_at) SELECT DISTINCT tenant, cluster, $3::timestamptz FROM cluster_members WHERE tenant = $1 AND ordinal = ANY($2)
                    ON CONFLICT (tenant, cluster) DO UPDATE SET reached = 0
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(ordinals), Sql.Value(now.ToUniversalTime()) },
                });
            }
        }
        if (changed.Count > 0)
        {
            batch.BatchCommands.Add(DecisionRow.Insert(changed));
            var moved = accounts.Where(account => account.Changed is not null).ToList();
            batch.BatchCommands.Add(Count(
                tenant,
                moved.ConvertAll(account => account.First.Ordinal),
                "denied = c.denied + u.a",
                moved.ConvertAll(account => Is(account.Changed!.Body.Verdict, Verdict.Deny) - Is(account.InForce.Body.Verdict, Verdict.Deny)),
                moved.ConvertAll(_ => 0L)));
        }
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Labels accounts, and takes the lane's lock.</summary>
    /// <returns>The label of each before.</returns>
    private static async Task<Dictionary<long, Label>> RelabelAsync(
        NpgsqlConnection connection,
        string tenant,
        IReadOnlyList<JudgedAccount> accounts,
        Label label,
        string? by,
        DateTimeOffset now,
        CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    """
                    WITH wanted AS (SELECT u AS ordinal FROM unnest($2) AS u),
                    before AS (SELECT w.ordinal, coalesce(l.label, 0)::smallint AS label FROM wanted w LEFT JOIN labels l ON l.tenant = $1 AND l.ordinal = w.ordinal),
                    written AS (
                        INSERT INTO labels (tenant, ordinal, label, labelled_at, labelled_by) SELECT $1, ordinal, $3, $4, $5 FROM wanted
                        ON CONFLICT (tenant, ordinal) DO UPDATE SET label = EXCLUDED.label, labelled_at = EXCLUDED.labelled_at, labelled_by = EXCLUDED.labelled_by)
                    SELECT ordinal, label FROM before
                    """)
                {
                    Parameters =
                    {
                        Sql.Value(tenant),
                        Sql.Array(accounts.Select(account => account.First.Ordinal).ToArray()),
                        Sql.Value((short)label),
                        Sql.Value(now.ToUniversalTime()),
                        Sql.Nullable(by, NpgsqlDbType.Text),
                    },
                },
                LinkageReader.LockLane(tenant),
            },
        };
        var before = new Dictionary<long, Label>();
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) before[reader.GetInt64(0)] = (Label)reader.GetInt16(1);
        return before;
    }

    private static async Task AddKeysAsync(NpgsqlBatch batch, NpgsqlConnection connection, string tenant, List<(StoredDecision First, Label Before)> accounts, Label label, CancellationToken cancellation)
    {
        var keysOf = accounts.ConvertAll(account => account.First.Facts is null ? [] : DecisionFacts.Decode(account.First.Facts).Links.Values.Select(link => link.Key).Distinct().ToArray());
        var table = new KeyTable();
        await using (var command = new NpgsqlCommand($"SELECT {LinkageReader.KeyColumns} FROM link_keys WHERE key = ANY($1)", connection)
        {
            Parameters = { Sql.Array(keysOf.SelectMany(keys => keys).Distinct().Select(key => key.ToGuid()).ToArray()) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) LinkageReader.Load(table, reader);
        }
        // Keys forgotten since are not made again: nobody is on them.
        var known = keysOf.SelectMany(keys => keys).Distinct().Where(table.Contains).OrderBy(key => key.Hash).ToArray();
        for (var i = 0; i < accounts.Count; i++)
        {
            foreach (var key in keysOf[i].Where(table.Contains)) table.Change(key).Relabel(accounts[i].Before, label);
        }
        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE link_keys SET state = u.state FROM unnest($1, $2) AS u (key, state) WHERE link_keys.key = u.key")
        {
            Parameters = { Sql.Array(known.Select(key => key.ToGuid()).ToArray()), Sql.Array(known.Select(key => StateCodec.Encode(table.Look(key))).ToArray()) },
        });
    }

    /// <summary>Adds to the networks of accounts.</summary>
    private static NpgsqlBatchCommand Count(string tenant, List<long> ordinals, string set, List<long> a, List<long> b) =>
        new(
            $"""
            UPDATE clusters c SET {set}
            FROM (SELECT m.cluster, sum(n.a)::bigint AS a, sum(n.b)::bigint AS b FROM unnest($2, $3, $4) AS n (ordinal, a, b)
                  JOIN cluster_members m ON m.tenant = $1 AND m.ordinal = n.ordinal GROUP BY m.cluster) u
            WHERE c.tenant = $1 AND c.id = u.cluster
            """)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(ordinals), Sql.Array(a), Sql.Array(b) },
        };

    private static long Is<T>(T value, T wanted)
        where T : struct, Enum => EqualityComparer<T>.Default.Equals(value, wanted) ? 1 : 0;
}
