using System.Globalization;
using Npgsql;
using NpgsqlTypes;
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
    public async Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(TenantsWithWorkSql);
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
        var touched = await PlaceAsync(connection, tenant, [.. decisions.Select(decision => decision.Ordinal).Concat(moved).Distinct()], cancellation);
        await SumUpAsync(connection, tenant, touched, cancellation);
        await transaction.CommitAsync(cancellation);
        return taken + moved.Count;
    }

    /// <summary>The last decision of each signup in the next part of the stream; the cursor moves past all of them.</summary>
    private static async Task<(int Taken, List<StoredDecision> Last)> TakeDecisionsAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
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
        var last = changes.Select(change => change.Decision).GroupBy(decision => decision.Ordinal).Select(history => history.MaxBy(decision => decision.Revision)!);
        return (changes.Count, [.. last.OrderBy(decision => decision.Ordinal)]);
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
    private async Task WriteSignupsAsync(NpgsqlConnection connection, string tenant, List<StoredDecision> decisions, Func<byte[], OpenedFacts?> open, CancellationToken cancellation)
    {
        var known = new HashSet<long>();
        await using (var command = new NpgsqlCommand("SELECT ordinal FROM case_signups WHERE tenant = $1 AND ordinal = ANY($2)", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(decisions.ConvertAll(decision => decision.Ordinal)) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) known.Add(reader.GetInt64(0));
        }
        await using var batch = new NpgsqlBatch(connection);
        foreach (var decision in decisions.Where(decision => known.Contains(decision.Ordinal))) batch.BatchCommands.Add(UpdateSignup(tenant, decision));

        var flagged = decisions.Where(decision => !known.Contains(decision.Ordinal) && decision.Body.Verdict > Verdict.Allow).ToList();
        var facts = new Dictionary<long, byte[]>();
        if (flagged.Count > 0)
        {
            // Partitions by the time of recording: asked with it, only theirs are read.
            await using var command = new NpgsqlCommand(
                "SELECT ordinal, facts FROM signups WHERE tenant = $1 AND ordinal = ANY($2) AND recorded_at BETWEEN $3 AND $4",
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
            while (await reader.ReadAsync(cancellation)) facts[reader.GetInt64(0)] = reader.GetFieldValue<byte[]>(1);
        }
        foreach (var decision in flagged)
        {
            var opened = facts.TryGetValue(decision.Ordinal, out var stored) ? open(stored) : null;
            foreach (var command in InsertSignup(tenant, decision, opened)) batch.BatchCommands.Add(command);
        }
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellation);
    }

    private IEnumerable<NpgsqlBatchCommand> InsertSignup(string tenant, StoredDecision decision, OpenedFacts? opened)
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
            """
            INSERT INTO cases (tenant, id, ordinal, signup_id, verdict, score, reason_codes, labels, country, network_class, channel, product, state, signups, priority, opened_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $15, $15)
            """);
        foreach (var parameter in Shown()) insertCase.Parameters.Add(parameter);
        insertCase.Parameters.Add(Sql.Value((short)(decision.Body.Verdict == Verdict.Review ? CaseState.Open : CaseState.Denied)));
        insertCase.Parameters.Add(Sql.Value((int)Math.Round(decision.Body.Score)));
        // The queue's age is that of the decision, also when cases are made for an older database.
        insertCase.Parameters.Add(Sql.Value(decision.DecidedAt.ToUniversalTime()));
        yield return insertCase;

        var insertSignup = new NpgsqlBatchCommand(
            """
            INSERT INTO case_signups (tenant, case_id, ordinal, signup_id, verdict, score, reason_codes, labels, country, network_class, channel, product, recorded_at, revision, outward_code, decided)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """);
        foreach (var parameter in Shown()) insertSignup.Parameters.Add(parameter);
        insertSignup.Parameters.Add(Sql.Value(decision.RecordedAt.ToUniversalTime()));
        insertSignup.Parameters.Add(Sql.Value(decision.Revision));
        insertSignup.Parameters.Add(Sql.Value(decision.OutwardCode));
        insertSignup.Parameters.Add(Sql.Value(Decided(decision)));
        yield return insertSignup;
        yield return Event(tenant, id, decision.DecidedAt, null, "opened", null);
    }

    private static NpgsqlBatchCommand UpdateSignup(string tenant, StoredDecision decision) =>
        new(
            """
            UPDATE case_signups SET revision = $3, verdict = $4, score = $5, reason_codes = $6, labels = $7, decided = $8
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
                Sql.Array(Codes(decision)),
                Sql.Array(decision.Body.Labels.ToArray()),
                Sql.Value(Decided(decision)),
            },
        };

    /// <summary>What a person, or an outcome, made of it: 0 nothing, 1 allowed, 2 denied.</summary>
    private static short Decided(StoredDecision decision) =>
        decision.Cause is not (DecisionCause.Review or DecisionCause.Outcome) || decision.Body.Verdict == Verdict.Review ? (short)0
        : decision.Body.Verdict == Verdict.Allow ? (short)CaseResolution.Allow : (short)CaseResolution.Deny;

    private static string[] Codes(StoredDecision decision) => [.. decision.Body.Reasons.Select(reason => reason.Code).Distinct()];

    private static NpgsqlParameter Text(string? text) => Sql.Nullable(text, NpgsqlDbType.Text);

    /// <summary>Brings signups into the case of the network they are in now, or into one of their own. The caller holds the networks' lock.</summary>
    /// <returns>Cases whose members changed, or whose members' decisions did.</returns>
    private async Task<HashSet<Guid>> PlaceAsync(NpgsqlConnection connection, string tenant, long[] ordinals, CancellationToken cancellation)
    {
        var touched = new HashSet<Guid>();
        var misplaced = new List<(long Ordinal, Guid Case, long? From, long? To)>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT s.ordinal, c.id, c.cluster, m.cluster FROM case_signups s JOIN cases c ON c.tenant = s.tenant AND c.id = s.case_id
            LEFT JOIN cluster_members m ON m.tenant = s.tenant AND m.ordinal = s.ordinal
            WHERE s.tenant = $1 AND s.ordinal = ANY($2) ORDER BY s.ordinal
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(ordinals) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                touched.Add(reader.GetGuid(1));
                var (from, to) = (reader.IsDBNull(2) ? (long?)null : reader.GetInt64(2), reader.IsDBNull(3) ? (long?)null : reader.GetInt64(3));
                if (from != to) misplaced.Add((reader.GetInt64(0), reader.GetGuid(1), from, to));
            }
        }
        var converted = new HashSet<Guid>();
        foreach (var (ordinal, old, from, to) in misplaced)
        {
            var target = to is { } cluster ? await CaseOfAsync(connection, tenant, cluster, cancellation) : null;
            if (target is null && from is null && to is { } first && converted.Add(old))
            {
                // The first of its network: its case becomes the network's, under the same id.
                await RunAsync(connection, "UPDATE cases SET cluster = $3 WHERE tenant = $1 AND id = $2", [Sql.Value(tenant), Sql.Value(old), Sql.Value(first)], cancellation);
                continue;
            }
            target ??= await CopyAsync(connection, tenant, old, ordinal, to, cancellation);
            if (target == old) continue;
            touched.Add(target.Value);
            await RunAsync(
                connection, "UPDATE case_signups SET case_id = $3 WHERE tenant = $1 AND ordinal = $2", [Sql.Value(tenant), Sql.Value(ordinal), Sql.Value(target.Value)], cancellation);
            // An objection goes where its account goes.
            await RunAsync(
                connection, "UPDATE appeals SET case_id = $3 WHERE tenant = $1 AND ordinal = $2", [Sql.Value(tenant), Sql.Value(ordinal), Sql.Value(target.Value)], cancellation);
            await FoldIfEmptyAsync(connection, tenant, old, target.Value, cancellation);
        }
        return touched;
    }

    private static async Task<Guid?> CaseOfAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM cases WHERE tenant = $1 AND cluster = $2 AND merged_into IS NULL", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster) },
        };
        return (Guid?)await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>A case for a signup that came out of another's; <see cref="SumUpAsync"/> fills in what its members say.</summary>
    private async Task<Guid> CopyAsync(NpgsqlConnection connection, string tenant, Guid from, long ordinal, long? cluster, CancellationToken cancellation)
    {
        var (now, id) = (Now, Guid.CreateVersion7(Now));
        await RunAsync(
            connection,
            """
            INSERT INTO cases (tenant, id, state, ordinal, signup_id, cluster, signups, verdict, score, priority, reason_codes, labels, country, network_class, channel, product, opened_at, updated_at)
            SELECT c.tenant, $2, c.state, s.ordinal, s.signup_id, $5, 0, s.verdict, s.score, 0, s.reason_codes, s.labels, s.country, s.network_class, s.channel, s.product, c.opened_at, $6
            FROM cases c JOIN case_signups s ON s.tenant = c.tenant AND s.ordinal = $4 WHERE c.tenant = $1 AND c.id = $3
            """,
            [Sql.Value(tenant), Sql.Value(id), Sql.Value(from), Sql.Value(ordinal), Sql.Nullable(cluster, NpgsqlDbType.Bigint), Sql.Value(now)],
            cancellation);
        await RunAsync(connection, Event(tenant, id, now, null, "opened", $"out of {from}"), cancellation);
        return id;
    }

    /// <summary>A case without members gives its notes, events and lease to the one its last member went to, and leads there.</summary>
    private async Task FoldIfEmptyAsync(NpgsqlConnection connection, string tenant, Guid old, Guid into, CancellationToken cancellation)
    {
        var now = Now;
        await using (var command = new NpgsqlCommand(
            """
            UPDATE cases SET merged_into = $3, claimed_by = NULL, claimed_until = NULL, appealed = false, signups = 0, revision = revision + 1, updated_at = $4
            WHERE tenant = $1 AND id = $2 AND NOT EXISTS (SELECT FROM case_signups s WHERE s.tenant = $1 AND s.case_id = $2)
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(old), Sql.Value(into), Sql.Value(now) },
        })
        {
            // Read before the row forgets it.
            var lease = await LeaseAsync(connection, tenant, old, cancellation);
            if (await command.ExecuteNonQueryAsync(cancellation) == 0) return;
            if (lease is var (holder, until) && until > now)
            {
                // Whoever holds the network's case keeps it.
                await RunAsync(
                    connection,
                    "UPDATE cases SET claimed_by = $3, claimed_until = $4 WHERE tenant = $1 AND id = $2 AND (claimed_until IS NULL OR claimed_until <= $5)",
                    [Sql.Value(tenant), Sql.Value(into), Sql.Value(holder), Sql.Value(until), Sql.Value(now)],
                    cancellation);
            }
        }
        await using var batch = new NpgsqlBatch(connection);
        foreach (var table in (string[])["case_notes", "case_events", "appeals"])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"UPDATE {table} SET case_id = $3 WHERE tenant = $1 AND case_id = $2")
            {
                Parameters = { Sql.Value(tenant), Sql.Value(old), Sql.Value(into) },
            });
        }
        // Those that led to it lead on.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE cases SET merged_into = $3 WHERE tenant = $1 AND merged_into = $2")
        {
            Parameters = { Sql.Value(tenant), Sql.Value(old), Sql.Value(into) },
        });
        batch.BatchCommands.Add(Event(tenant, into, now, null, "joined", old.ToString()));
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task<(string Holder, DateTimeOffset Until)?> LeaseAsync(NpgsqlConnection connection, string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT claimed_by, claimed_until FROM cases WHERE tenant = $1 AND id = $2 AND claimed_by IS NOT NULL FOR UPDATE", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(id) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? (reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1)) : null;
    }

    /// <summary>
    /// Makes cases say what their members say: open while any waits for a person, else resolved where people decided, else denied. Records where the state changed.
    /// </summary>
    private async Task SumUpAsync(NpgsqlConnection connection, string tenant, HashSet<Guid> ids, CancellationToken cancellation)
    {
        if (ids.Count == 0) return;
        await RunAsync(
            connection,
            $"""
            WITH before AS (SELECT c.* FROM cases c WHERE c.tenant = $1 AND c.id = ANY($2) AND c.merged_into IS NULL ORDER BY c.id FOR UPDATE),
            members AS (
                SELECT s.case_id, count(*) AS signups, max(s.verdict) AS verdict, max(s.score) AS score,
                       bool_or(s.decided = 0 AND s.verdict = {(short)Verdict.Review}) AS waiting,
                       bool_or(s.decided <> 0) AS decided,
                       coalesce(bool_or(s.decided = {(short)CaseResolution.Deny}), false) AS denied
                FROM case_signups s WHERE s.tenant = $1 AND s.case_id IN (SELECT id FROM before) GROUP BY s.case_id),
            now AS (
                SELECT b.id, b.state AS was, m.*,
                       CASE WHEN m.waiting OR b.appealed THEN CASE WHEN b.state = {(short)CaseState.Escalated} THEN b.state ELSE {(short)CaseState.Open} END
                            WHEN m.decided THEN {(short)CaseState.Resolved} ELSE {(short)CaseState.Denied} END::smallint AS state
                FROM before b JOIN members m ON m.case_id = b.id),
            written AS (
                UPDATE cases c SET
                    state = n.state, signups = n.signups, verdict = n.verdict, score = n.score, revision = c.revision + 1, updated_at = $3,
                    priority = least(100, round(n.score) + CASE WHEN n.signups > 1 THEN least({GrowthPriorityMax}, round(4 * ln(n.signups))) ELSE 0 END)::integer,
                    ordinal = t.ordinal, signup_id = t.signup_id, reason_codes = t.reason_codes, labels = t.labels, country = t.country,
                    network_class = t.network_class, channel = t.channel, product = t.product,
                    resolution = CASE WHEN n.state <> {(short)CaseState.Resolved} THEN NULL
                                      WHEN n.denied THEN {(short)CaseResolution.Deny} ELSE {(short)CaseResolution.Allow} END::smallint,
                    resolved_at = CASE WHEN n.state <> {(short)CaseState.Resolved} THEN NULL ELSE coalesce(c.resolved_at, $3) END,
                    resolved_by = CASE WHEN n.state <> {(short)CaseState.Resolved} THEN NULL ELSE c.resolved_by END,
                    resolution_reason = CASE WHEN n.state <> {(short)CaseState.Resolved} THEN NULL ELSE c.resolution_reason END,
                    claimed_by = CASE WHEN n.state = {(short)CaseState.Resolved} THEN NULL ELSE c.claimed_by END,
                    claimed_until = CASE WHEN n.state = {(short)CaseState.Resolved} THEN NULL ELSE c.claimed_until END
                FROM now n,
                     LATERAL (SELECT s.* FROM case_signups s WHERE s.tenant = $1 AND s.case_id = n.id ORDER BY s.score DESC, s.ordinal LIMIT 1) t
                WHERE c.tenant = $1 AND c.id = n.id
                  -- An etag stays while a case stays what it was.
                  AND (c.state, c.signups, c.verdict, c.score, c.ordinal, c.reason_codes, c.labels)
                      IS DISTINCT FROM (n.state, n.signups, n.verdict, n.score, t.ordinal, t.reason_codes, t.labels))
            INSERT INTO case_events (tenant, case_id, at, kind)
            SELECT $1, n.id, $3, CASE n.state WHEN {(short)CaseState.Resolved} THEN 'resolved' WHEN {(short)CaseState.Denied} THEN 'denied' ELSE 'reopened' END
            FROM now n WHERE n.state <> n.was ORDER BY n.id
            """,
            [Sql.Value(tenant), Sql.Array(ids.ToArray()), Sql.Value(Now)],
            cancellation);
    }

    /// <summary>What the size of a network adds to the score, at most.</summary>
    private const int GrowthPriorityMax = 20;
}
