using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>The worker's side of cases: they follow decisions in commit order, and members that change their network.</summary>
public sealed partial class CaseStore
{
    /// <summary>Members whose move is followed in one transaction; decisions are read 500 at a time, as the stream gives them.</summary>
    public const int MovesMax = 500;

    // The next decision by the stream's own order, so that its index answers however many there are.
    internal const string TenantsWithWorkSql =
        """
        SELECT tenant FROM case_moves
        UNION SELECT l.tenant FROM lanes l LEFT JOIN case_cursors c ON c.tenant = l.tenant, LATERAL (
            SELECT FROM decisions d
            WHERE d.tenant = l.tenant AND (d.xid, d.ordinal, d.revision) > (coalesce(c.xid, '0'::xid8), coalesce(c.ordinal, 0), coalesce(c.revision, 0))
                  AND d.xid < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY d.xid, d.ordinal, d.revision LIMIT 1) next
        """;

    /// <summary>Tenants whose cases are behind: of decisions, as the stream gives them, or of members that changed their network. Takes no lock.</summary>
    public Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation) => TenantsAsync(TenantsWithWorkSql, cancellation);

    private async Task<IReadOnlyList<string>> TenantsAsync(string sql, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var tenants = new List<string>();
        while (await reader.ReadAsync(cancellation)) tenants.Add(reader.GetString(0));
        return tenants;
    }

    /// <summary>
    /// Takes the next decisions and moves of a tenant, and opens, updates and folds their cases. What it took and what it wrote commit together, so each
    /// decision is taken exactly once; one that commits late holds up those after it, and is never passed over.
    /// </summary>
    /// <param name="open">Opens a signup's stored facts; null when they can't be read, then its case shows no country, network class, channel or product.</param>
    /// <returns>Decisions and moves taken; 0 when there are none, or another replica works for the tenant.</returns>
    public async Task<int> FollowAsync(string tenant, Func<byte[], OpenedFacts?> open, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await ClusterLock.TryTakeAsync(connection, tenant, cancellation)) return 0;
        var (taken, decisions) = await TakeDecisionsAsync(connection, tenant, cancellation);
        var moved = await TakeMovesAsync(connection, tenant, cancellation);
        if (taken + moved.Count == 0) return 0;

        await WriteSignupsAsync(connection, tenant, decisions, open, cancellation);
        var touched = await PlaceAsync(connection, tenant, [.. decisions.Select(item => item.Decision.Ordinal).Concat(moved).Distinct()], cancellation);
        await SumUpAsync(connection, tenant, touched, cancellation);
        await transaction.CommitAsync(cancellation);
        return taken + moved.Count;
    }

    /// <summary>The last decision of each signup in the next part of the stream, and whether one of its decisions there flags it; the cursor moves past all of them.</summary>
    private static async Task<(int Taken, List<(StoredDecision Decision, bool Flags)> Last)> TakeDecisionsAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        var after = StreamPosition.Start;
        await using (var command = new NpgsqlCommand("SELECT xid::text, ordinal, revision FROM case_cursors WHERE tenant = $1", connection) { Parameters = { Sql.Value(tenant) } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (await reader.ReadAsync(cancellation)) after = new StreamPosition(ulong.Parse(reader.GetString(0), CultureInfo.InvariantCulture), reader.GetInt64(1), reader.GetInt32(2));
        }
        var changes = await DecisionReader.ChangesAsync(connection, tenant, after, changesOnly: false, cancellation);
        if (changes.Count == 0) return (0, []);
        var reached = changes[^1].Position;
        await using var update = new NpgsqlCommand(
            """
            INSERT INTO case_cursors (tenant, xid, ordinal, revision) VALUES ($1, $2::text::xid8, $3, $4)
            ON CONFLICT (tenant) DO UPDATE SET xid = EXCLUDED.xid, ordinal = EXCLUDED.ordinal, revision = EXCLUDED.revision
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(reached.Xid.ToString(CultureInfo.InvariantCulture)), Sql.Value(reached.Ordinal), Sql.Value(reached.Revision) },
        };
        await update.ExecuteNonQueryAsync(cancellation);
        await AddUpAsync(connection, tenant, changes, cancellation);
        var last = changes.Select(change => change.Decision).GroupBy(decision => decision.Ordinal).OrderBy(history => history.Key)
            .Select(history => (history.MaxBy(decision => decision.Revision)!, history.Any(decision => decision.Body.Verdict > Verdict.Allow)));
        return (changes.Count, [.. last]);
    }

    /// <summary>Members that changed their network; one that did twice is there twice.</summary>
    private static async Task<List<long>> TakeMovesAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"DELETE FROM case_moves WHERE tenant = $1 AND id IN (SELECT id FROM case_moves WHERE tenant = $1 ORDER BY id LIMIT {MovesMax}) RETURNING ordinal",
            connection)
        {
            Parameters = { Sql.Value(tenant) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var ordinals = new List<long>();
        while (await reader.ReadAsync(cancellation)) ordinals.Add(reader.GetInt64(0));
        return ordinals;
    }

    /// <summary>Updates signups that have a case, and gives those flagged for the first time one of their own.</summary>
    /// <param name="decisions">The last of each signup, and whether it, or one before it that was not taken yet, flags the account.</param>
    private async Task WriteSignupsAsync(
        NpgsqlConnection connection, string tenant, List<(StoredDecision Decision, bool Flags)> decisions, Func<byte[], OpenedFacts?> open, CancellationToken cancellation)
    {
        var known = new HashSet<long>();
        await using (var command = new NpgsqlCommand("SELECT ordinal FROM case_signups WHERE tenant = $1 AND ordinal = ANY($2)", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(decisions.ConvertAll(item => item.Decision.Ordinal)) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) known.Add(reader.GetInt64(0));
        }
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (decision, _) in decisions.Where(item => known.Contains(item.Decision.Ordinal))) batch.BatchCommands.Add(UpdateSignup(tenant, decision));

        var flagged = decisions.Where(item => item.Flags && !known.Contains(item.Decision.Ordinal)).Select(item => item.Decision).ToList();
        var facts = new Dictionary<long, (byte[] Stored, DateTimeOffset? ConfirmedAt)>();
        if (flagged.Count > 0)
        {
            // Partitions by the time of recording: asked with it, only theirs are read.
            await using var command = new NpgsqlCommand(
                $"""
                SELECT s.ordinal, s.facts, l.labelled_at FROM signups s
                LEFT JOIN labels l ON l.tenant = s.tenant AND l.ordinal = s.ordinal AND l.label = {(short)Label.Bad}
                WHERE s.tenant = $1 AND s.ordinal = ANY($2) AND s.recorded_at BETWEEN $3 AND $4
                """,
                connection)
            {
                Parameters =
                {
                    Sql.Value(tenant),
                    Sql.Array(flagged.ConvertAll(decision => decision.Ordinal)),
                    Sql.Value(flagged.Min(decision => decision.RecordedAt).ToUniversalTime()),
                    Sql.Value(flagged.Max(decision => decision.RecordedAt).ToUniversalTime()),
                },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                facts[reader.GetInt64(0)] = (reader.GetFieldValue<byte[]>(1), await reader.IsDBNullAsync(2, cancellation) ? null : reader.GetFieldValue<DateTimeOffset>(2));
        }
        foreach (var decision in flagged)
        {
            var isStored = facts.TryGetValue(decision.Ordinal, out var found);
            foreach (var command in InsertSignup(tenant, decision, isStored ? open(found.Stored) : null, found.ConfirmedAt)) batch.BatchCommands.Add(command);
        }
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <param name="confirmedAt">When an outcome said that it is bad; it changed no decision where the policy had denied the account already.</param>
    private IEnumerable<NpgsqlBatchCommand> InsertSignup(string tenant, StoredDecision decision, OpenedFacts? opened, DateTimeOffset? confirmedAt)
    {
        var now = Now;
        var id = Guid.CreateVersion7(now);
        var ip = opened?.Signals.Ip.Value;
        NpgsqlParameter[] Shown() =>
        [
            Sql.Value(tenant),
            Sql.Value(id),
            Sql.Value(decision.Ordinal),
            Sql.Value(decision.SignupId),
            Sql.Value((short)decision.Body.Verdict),
            Sql.Value(decision.Body.Score),
            Sql.Array(Codes(decision)),
            Sql.Array(decision.Body.Labels.ToArray()),
            Text(ip?.Country),
            Text(ip?.NetworkClass),
            Text(opened?.Signup.Event.Channel),
            Text(opened?.Signup.Event.Product),
        ];
        var insertCase = new NpgsqlBatchCommand(
            $"""
            INSERT INTO cases (tenant, id, ordinal, signup_id, verdict, score, reason_codes, labels, country, network_class, channel, product, state, signups, priority, opened_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, {Priority("$6::double precision", "1")}, $14, $14)
            """);
        foreach (var parameter in Shown()) insertCase.Parameters.Add(parameter);
        insertCase.Parameters.Add(Sql.Value((short)(decision.Body.Verdict == Verdict.Review ? CaseState.Open : CaseState.Denied)));
        // The queue's age is that of the decision, also when cases are made for an older database.
        insertCase.Parameters.Add(Sql.Value(decision.DecidedAt.ToUniversalTime()));
        yield return insertCase;

        var insertSignup = new NpgsqlBatchCommand(
            """
            INSERT INTO case_signups (
                tenant, case_id, ordinal, signup_id, verdict, score, reason_codes, labels, country, network_class, channel, product,
                recorded_at, revision, outward_code, decided, decided_at, decided_reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """);
        foreach (var parameter in Shown()) insertSignup.Parameters.Add(parameter);
        insertSignup.Parameters.Add(Sql.Value(decision.RecordedAt.ToUniversalTime()));
        insertSignup.Parameters.Add(Sql.Value(decision.Revision));
        insertSignup.Parameters.Add(Sql.Value(decision.OutwardCode));
        foreach (var parameter in Judged(decision, decision.Body.Verdict == Verdict.Deny ? confirmedAt : null)) insertSignup.Parameters.Add(parameter);
        yield return insertSignup;
        yield return Event(tenant, id, decision.DecidedAt, null, "opened", null);
    }

    private static NpgsqlBatchCommand UpdateSignup(string tenant, StoredDecision decision)
    {
        var command = new NpgsqlBatchCommand(
            """
            UPDATE case_signups SET revision = $3, verdict = $4, score = $5, labels = $6, decided = $8, decided_by = NULL, decided_at = $9, decided_reason = $10,
                -- What flagged it stays: what people make of it is told beside.
                reason_codes = CASE WHEN $8 = 0 THEN $7 ELSE reason_codes END
            WHERE tenant = $1 AND ordinal = $2 AND revision < $3
            """)
        {
            Parameters =
            {
                Sql.Value(tenant),
                Sql.Value(decision.Ordinal),
                Sql.Value(decision.Revision),
                Sql.Value((short)decision.Body.Verdict),
                Sql.Value(decision.Body.Score),
                Sql.Array(decision.Body.Labels.ToArray()),
                Sql.Array(Codes(decision)),
            },
        };
        foreach (var parameter in Judged(decision)) command.Parameters.Add(parameter);
        return command;
    }

    /// <summary>What a person, or an outcome, made of it, when and why: 0 nothing, 1 allowed, 2 denied. Who is not the decision's to tell.</summary>
    private static NpgsqlParameter[] Judged(StoredDecision decision, DateTimeOffset? confirmedAt = null)
    {
        var byPeople = decision is { Cause: DecisionCause.Review or DecisionCause.Outcome, Body.Verdict: not Verdict.Review };
        if (!byPeople && confirmedAt is null) return [Sql.Value((short)0), Sql.Nullable(null, NpgsqlDbType.TimestampTz), Text(null)];
        return
        [
            Sql.Value((short)(decision.Body.Verdict == Verdict.Allow ? CaseResolution.Allow : CaseResolution.Deny)),
            Sql.Value((byPeople ? decision.DecidedAt : confirmedAt!.Value).ToUniversalTime()),
            Text(byPeople ? decision.Body.Reasons[0].Code : null),
        ];
    }

    /// <summary>What speaks against it; what people made of it, which comes first, is none of that.</summary>
    private static string[] Codes(StoredDecision decision) =>
        [.. decision.Body.Reasons.Skip(decision.Cause is DecisionCause.Review or DecisionCause.Outcome ? 1 : 0).Select(reason => reason.Code).Distinct()];

    private static NpgsqlParameter Text(string? text) => Sql.Nullable(text, NpgsqlDbType.Text);
}
