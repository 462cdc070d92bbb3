using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Outcomes;

/// <summary>What an outcome means for the account.</summary>
/// <param name="Label">What it teaches about the account; none for outcomes that prove nothing.</param>
/// <param name="Verdict">The verdict from now on; null to leave it.</param>
/// <param name="Code">Reason code of the change.</param>
/// <param name="Text">For a reviewer.</param>
public sealed record OutcomeConsequence(Label Label, Verdict? Verdict, string Code, string Text);

/// <summary>Records what happened to accounts later, with all that follows, in one transaction.</summary>
public sealed class OutcomeStore(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>
    /// Records an outcome once per kind: its label on the signup's keys and network, a second look at the network of a bad account, and a
    /// decision change where the verdict is another.
    /// </summary>
    /// <returns>Whether it was new; null when there is no such signup.</returns>
    public async Task<bool?> RecordAsync(
        string tenant,
        string signupId,
        string kind,
        DateTimeOffset occurredAt,
        string? note,
        OutcomeConsequence consequence,
        CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // Before anything is read: the worker may be deciding the same signup again.
        if (consequence.Label != Label.None || consequence.Verdict is not null) await ClusterLock.TakeAsync(connection, tenant, cancellation);
        var history = await DecisionReader.HistoryAsync(connection, tenant, signupId, cancellation);
        if (history.Count == 0) return null;
        var (first, inForce) = (history[0], history[^1]);
        if (!await InsertAsync(connection, tenant, first.Ordinal, kind, occurredAt, note, cancellation)) return false;

        if (consequence.Label != Label.None) await RelabelAsync(connection, tenant, first, consequence.Label, cancellation);
        if (consequence.Verdict is { } verdict && verdict != inForce.Body.Verdict) await ChangeAsync(connection, tenant, inForce, verdict, consequence, cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static async Task<bool> InsertAsync(NpgsqlConnection connection, string tenant, long ordinal, string kind, DateTimeOffset occurredAt, string? note, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("INSERT INTO outcomes (tenant, ordinal, kind, occurred_at, note) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", connection)
        {
            Parameters =
            {
                Sql.Value(tenant),
                Sql.Value(ordinal),
                Sql.Value(kind),
                Sql.Value(occurredAt.ToUniversalTime()),
                Sql.Nullable(note, NpgsqlDbType.Text),
            },
        };
        return await command.ExecuteNonQueryAsync(cancellation) > 0;
    }

    private async Task RelabelAsync(NpgsqlConnection connection, string tenant, StoredDecision first, Label label, CancellationToken cancellation)
    {
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { LinkageReader.LockLane(tenant) } }) await batch.ExecuteNonQueryAsync(cancellation);

        Label before;
        await using (var command = new NpgsqlCommand(
            """
            WITH before AS (SELECT label FROM labels WHERE tenant = $1 AND ordinal = $2),
            written AS (
                INSERT INTO labels (tenant, ordinal, label, labelled_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant, ordinal) DO UPDATE SET label = EXCLUDED.label, labelled_at = EXCLUDED.labelled_at)
            SELECT coalesce((SELECT label FROM before), 0)::smallint
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(first.Ordinal), Sql.Value((short)label), Sql.Value(clock.GetUtcNow().ToUniversalTime()) },
        })
        {
            before = (Label)(short)(await command.ExecuteScalarAsync(cancellation))!;
        }
        if (before == label) return;

        // The first decision knows every key of the signup.
        var keys = first.Facts is null ? [] : DecisionFacts.Decode(first.Facts).Links.Values.Select(link => link.Key).Distinct().ToArray();
        var table = new KeyTable();
        await using (var command = new NpgsqlCommand($"SELECT {LinkageReader.KeyColumns} FROM link_keys WHERE key = ANY($1)", connection) { Parameters = { Sql.Array(keys.Select(key => key.ToGuid()).ToArray()) } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) LinkageReader.Load(table, reader);
        }
        // Keys forgotten since are not made again: nobody is on them.
        var known = keys.Where(table.Contains).OrderBy(key => key.Hash).ToArray();
        foreach (var key in known) table.Change(key).Relabel(before, label);
        var (bad, good) = (Is(label, Label.Bad) - Is(before, Label.Bad), Is(label, Label.Good) - Is(before, Label.Good));
        await using var update = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("UPDATE link_keys SET state = u.state FROM unnest($1, $2) AS u (key, state) WHERE link_keys.key = u.key")
                {
                    Parameters = { Sql.Array(known.Select(key => key.ToGuid()).ToArray()), Sql.Array(known.Select(key => StateCodec.Encode(table.Look(key))).ToArray()) },
                },
                new NpgsqlBatchCommand(
                    """
                    UPDATE clusters SET confirmed_bad = confirmed_bad + $3, confirmed_good = confirmed_good + $4
                    WHERE tenant = $1 AND id = (SELECT cluster FROM cluster_members WHERE tenant = $1 AND ordinal = $2)
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(first.Ordinal), Sql.Value((long)bad), Sql.Value((long)good) },
                },
            },
        };
        if (label == Label.Bad)
        {
            update.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, cluster, $3 FROM cluster_members WHERE tenant = $1 AND ordinal = $2
                ON CONFLICT (tenant, cluster) DO UPDATE SET reached = 0
                """)
            {
                Parameters = { Sql.Value(tenant), Sql.Value(first.Ordinal), Sql.Value(clock.GetUtcNow().ToUniversalTime()) },
            });
        }
        await update.ExecuteNonQueryAsync(cancellation);

        static int Is(Label label, Label wanted) => label == wanted ? 1 : 0;
    }

    private async Task ChangeAsync(NpgsqlConnection connection, string tenant, StoredDecision inForce, Verdict verdict, OutcomeConsequence consequence, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var changed = inForce with
        {
            DecisionId = Guid.CreateVersion7(now),
            Revision = inForce.Revision + 1,
            DecidedAt = now,
            Cause = DecisionCause.Outcome,
            Body = inForce.Body with
            {
                Verdict = verdict,
                Reasons = [new StoredReason(consequence.Code, consequence.Text, 0, null), .. inForce.Body.Reasons],
            },
        };
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { DecisionRow.Insert([(tenant, changed)]) } };
        var denied = (verdict == Verdict.Deny ? 1L : 0) - (inForce.Body.Verdict == Verdict.Deny ? 1L : 0);
        if (denied != 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE clusters SET denied = denied + $3 WHERE tenant = $1 AND id = (SELECT cluster FROM cluster_members WHERE tenant = $1 AND ordinal = $2)")
            {
                Parameters = { Sql.Value(tenant), Sql.Value(inForce.Ordinal), Sql.Value(denied) },
            });
        }
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}
