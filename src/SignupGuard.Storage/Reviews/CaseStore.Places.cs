using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Which case an account is in, and what a case says by its accounts. All of it under the networks' lock.</summary>
public sealed partial class CaseStore
{
    /// <summary>What the size of a network adds to the score, at most.</summary>
    private const int GrowthPriorityMax = 20;

    /// <summary>The one formula of a case's priority, as SQL.</summary>
    private static string Priority(string score, string signups) =>
        string.Create(CultureInfo.InvariantCulture, $"least(100, round({score}) + least({GrowthPriorityMax}, round(4 * ln(greatest({signups}, 1)))))::integer");

    /// <summary>An account whose case is not the one of the network it is in.</summary>
    /// <param name="From">Network of its case.</param>
    /// <param name="To">Network it is in.</param>
    /// <param name="Target">The case of that network, if it has one.</param>
    /// <param name="Free">Its case is of no network that still has members.</param>
    private readonly record struct Misplaced(long Ordinal, Guid Case, long? From, long? To, Guid? Target, bool Free);

    /// <summary>Brings signups into the case of the network they are in now, or into one of their own: two round trips, however many.</summary>
    /// <returns>Cases whose members changed, or whose members' decisions did.</returns>
    private async Task<HashSet<Guid>> PlaceAsync(NpgsqlConnection connection, string tenant, long[] ordinals, CancellationToken cancellation)
    {
        var touched = new HashSet<Guid>();
        var misplaced = new List<Misplaced>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT s.ordinal, c.id, c.cluster, m.cluster, t.id,
                   c.cluster IS DISTINCT FROM m.cluster
                   AND (c.cluster IS NULL OR NOT EXISTS (SELECT FROM cluster_members o WHERE o.tenant = c.tenant AND o.cluster = c.cluster))
            FROM case_signups s JOIN cases c ON c.tenant = s.tenant AND c.id = s.case_id
            LEFT JOIN cluster_members m ON m.tenant = s.tenant AND m.ordinal = s.ordinal
            LEFT JOIN cases t ON t.tenant = m.tenant AND t.cluster = m.cluster AND t.merged_into IS NULL
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
                var place = new Misplaced(
                    reader.GetInt64(0),
                    reader.GetGuid(1),
                    reader.IsDBNull(2) ? null : reader.GetInt64(2),
                    reader.IsDBNull(3) ? null : reader.GetInt64(3),
                    reader.IsDBNull(4) ? null : reader.GetGuid(4),
                    reader.GetBoolean(5));
                if (place.From != place.To) misplaced.Add(place);
            }
        }
        if (misplaced.Count == 0) return touched;

        var moves = Moves(misplaced);
        touched.UnionWith(moves.Members.Select(move => move.To));
        await MoveAsync(connection, tenant, moves, cancellation);
        return touched;
    }

    /// <summary>What is to be done for accounts to be where they belong.</summary>
    private sealed class CaseMoves
    {
        /// <summary>Cases that become those of a network, under the same id.</summary>
        public List<(Guid Case, long Cluster)> Conversions { get; } = [];

        /// <summary>Cases opened for an account that came out of another's; of a network, or its own.</summary>
        public List<(Guid Case, Guid From, long Ordinal, long? Cluster)> Copies { get; } = [];

        /// <summary>Accounts that go to another case.</summary>
        public List<(long Ordinal, Guid From, Guid To)> Members { get; } = [];
    }

    private CaseMoves Moves(List<Misplaced> misplaced)
    {
        var moves = new CaseMoves();
        var homes = new Dictionary<long, Guid>();
        var converted = new HashSet<Guid>();
        foreach (var place in misplaced)
        {
            Guid? target = place.To is not { } cluster ? null : homes.TryGetValue(cluster, out var home) ? home : place.Target;
            if (target is null && place is { To: { } first, Free: true } && converted.Add(place.Case))
            {
                // The first of its network, or all of one that has another number now.
                moves.Conversions.Add((place.Case, first));
                target = place.Case;
            }
            if (target is null)
            {
                target = Guid.CreateVersion7(Now);
                moves.Copies.Add((target.Value, place.Case, place.Ordinal, place.To));
            }
            if (place.To is { } to) homes[to] = target.Value;
            if (target != place.Case) moves.Members.Add((place.Ordinal, place.Case, target.Value));
        }
        return moves;
    }

    private async Task MoveAsync(NpgsqlConnection connection, string tenant, CaseMoves moves, CancellationToken cancellation)
    {
        var now = Now;
        await using var batch = new NpgsqlBatch(connection);
        if (moves.Conversions.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                "UPDATE cases c SET cluster = u.cluster, revision = c.revision + 1, updated_at = $4 FROM unnest($2, $3) AS u (id, cluster) WHERE c.tenant = $1 AND c.id = u.id")
            {
                Parameters = { Sql.Value(tenant), Sql.Array(moves.Conversions.ConvertAll(item => item.Case)), Sql.Array(moves.Conversions.ConvertAll(item => item.Cluster)), Sql.Value(now) },
            });
        }
        if (moves.Copies.Count > 0)
        {
            // What its accounts say of it, SumUpAsync fills in.
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                $"""
                WITH copies AS (SELECT * FROM unnest($2, $3, $4, $5) AS u (id, source, ordinal, cluster)),
                opened AS (
                    INSERT INTO cases (
                        tenant, id, state, ordinal, signup_id, cluster, signups, verdict, score, priority, reason_codes, labels,
                        country, network_class, channel, product, opened_at, updated_at)
                    SELECT $1, u.id, c.state, s.ordinal, s.signup_id, u.cluster, 1, s.verdict, s.score, {Priority("s.score", "1")}, s.reason_codes, s.labels,
                           s.country, s.network_class, s.channel, s.product, c.opened_at, $6
                    FROM copies u JOIN cases c ON c.tenant = $1 AND c.id = u.source JOIN case_signups s ON s.tenant = $1 AND s.ordinal = u.ordinal)
                INSERT INTO case_events (tenant, case_id, at, kind, detail) SELECT $1, id, $6, 'opened', 'out of ' || source FROM copies
                """)
            {
                Parameters =
                {
                    Sql.Value(tenant),
                    Sql.Array(moves.Copies.ConvertAll(item => item.Case)),
                    Sql.Array(moves.Copies.ConvertAll(item => item.From)),
                    Sql.Array(moves.Copies.ConvertAll(item => item.Ordinal)),
                    Sql.Array(moves.Copies.ConvertAll(item => item.Cluster)),
                    Sql.Value(now),
                },
            });
        }
        if (moves.Members.Count > 0) AddMoves(batch, tenant, moves, now);
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private static void AddMoves(NpgsqlBatch batch, string tenant, CaseMoves moves, DateTimeOffset now)
    {
        // Whoever claims or escalates one meanwhile does so before or after, not in between.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT FROM cases WHERE tenant = $1 AND id = ANY($2) ORDER BY id FOR UPDATE")
        {
            Parameters = { Sql.Value(tenant), Sql.Array(moves.Members.SelectMany(move => (Guid[])[move.From, move.To]).Distinct().ToArray()) },
        });
        var ordinals = moves.Members.ConvertAll(move => move.Ordinal);
        var targets = moves.Members.ConvertAll(move => move.To);
        // An objection goes where its account goes.
        foreach (var table in (string[])["case_signups", "appeals"])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"UPDATE {table} t SET case_id = u.id FROM unnest($2, $3) AS u (ordinal, id) WHERE t.tenant = $1 AND t.ordinal = u.ordinal")
            {
                Parameters = { Sql.Value(tenant), Sql.Array(ordinals), Sql.Array(targets) },
            });
        }

        // A case without accounts leads to the one its last account went to, and gives it what it had.
        var left = moves.Members.GroupBy(move => move.From).Select(group => (group.Key, group.Last().To)).OrderBy(item => item.Key).ToList();
        const string Emptied =
            "(SELECT u.id, u.target FROM unnest($2, $3) AS u (id, target) WHERE NOT EXISTS (SELECT FROM case_signups s WHERE s.tenant = $1 AND s.case_id = u.id))";
        void Add(string sql, bool timed)
        {
            var command = new NpgsqlBatchCommand(sql) { Parameters = { Sql.Value(tenant), Sql.Array(left.ConvertAll(item => item.Key)), Sql.Array(left.ConvertAll(item => item.To)) } };
            if (timed) command.Parameters.Add(Sql.Value(now));
            batch.BatchCommands.Add(command);
        }

        // Whoever holds the network's case keeps it; and what one of its accounts was handed up for, the whole is.
        Add(
            $"""
            WITH given AS (
                SELECT e.target, bool_or(c.state = {(short)CaseState.Escalated}) AS escalated,
                       (array_agg(c.claimed_by ORDER BY c.claimed_until DESC) FILTER (WHERE c.claimed_until > $4))[1] AS claimed_by,
                       max(c.claimed_until) FILTER (WHERE c.claimed_until > $4) AS claimed_until
                FROM {Emptied} e JOIN cases c ON c.tenant = $1 AND c.id = e.id GROUP BY e.target),
            raised AS (
                INSERT INTO case_events (tenant, case_id, at, kind, detail)
                SELECT $1, c.id, $4, 'escalated', 'as one of its accounts was' FROM given g JOIN cases c ON c.tenant = $1 AND c.id = g.target
                WHERE g.escalated AND c.state <> {(short)CaseState.Escalated} ORDER BY c.id)
            UPDATE cases c SET
                state = CASE WHEN g.escalated THEN {(short)CaseState.Escalated}::smallint ELSE c.state END,
                claimed_by = CASE WHEN g.claimed_by IS NULL OR c.claimed_until > $4 THEN c.claimed_by ELSE g.claimed_by END,
                claimed_until = CASE WHEN g.claimed_by IS NULL OR c.claimed_until > $4 THEN c.claimed_until ELSE g.claimed_until END,
                revision = c.revision + 1, updated_at = $4
            FROM given g WHERE c.tenant = $1 AND c.id = g.target AND (g.escalated OR g.claimed_by IS NOT NULL)
            """,
            timed: true);
        foreach (var table in (string[])["case_notes", "case_events"])
            Add($"UPDATE {table} t SET case_id = e.target FROM {Emptied} e WHERE t.tenant = $1 AND t.case_id = e.id", timed: false);
        // Those that led to it lead on.
        Add($"UPDATE cases c SET merged_into = e.target FROM {Emptied} e WHERE c.tenant = $1 AND c.merged_into = e.id", timed: false);
        Add(
            $"""
            WITH folded AS (
                UPDATE cases c SET merged_into = e.target, claimed_by = NULL, claimed_until = NULL, appealed = false, signups = 0, revision = c.revision + 1, updated_at = $4
                FROM {Emptied} e WHERE c.tenant = $1 AND c.id = e.id RETURNING c.id, e.target)
            INSERT INTO case_events (tenant, case_id, at, kind, detail) SELECT $1, target, $4, 'joined', id::text FROM folded ORDER BY id
            """,
            timed: true);
    }

    /// <summary>
    /// Makes cases say what their accounts say: open while one waits for a person, or an objection is open; resolved when people or outcomes decided every
    /// one; else denied by the policy. Records where the state changed, and decisions of people.
    /// </summary>
    private Task SumUpAsync(NpgsqlConnection connection, string tenant, HashSet<Guid> ids, CancellationToken cancellation) =>
        ids.Count == 0 ? Task.CompletedTask : RunAsync(connection, SumUpSql, [Sql.Value(tenant), Sql.Array(ids.ToArray()), Sql.Value(Now)], cancellation);

    private static readonly string SumUpSql =
        $"""
        WITH before AS (SELECT c.* FROM cases c WHERE c.tenant = $1 AND c.id = ANY($2) AND c.merged_into IS NULL ORDER BY c.id FOR UPDATE),
        members AS (
            SELECT s.case_id, count(*) AS signups, max(s.verdict) AS verdict, max(s.score) AS score,
                   bool_or(s.decided = 0 AND s.verdict = {(short)Verdict.Review}) AS waiting,
                   min(s.decided) AS decided_least, max(s.decided) AS decided_most
            FROM case_signups s WHERE s.tenant = $1 AND s.case_id IN (SELECT id FROM before) GROUP BY s.case_id),
        said AS (
            SELECT b.id, m.*,
                   EXISTS (SELECT FROM appeals a WHERE a.tenant = $1 AND a.case_id = b.id AND a.closed_at IS NULL) AS appealed
            FROM before b JOIN members m ON m.case_id = b.id),
        stands AS (
            SELECT b.state AS was, b.resolved_at AS resolved_before, s.*,
                   CASE WHEN s.waiting OR s.appealed THEN CASE WHEN b.state = {(short)CaseState.Escalated} THEN b.state ELSE {(short)CaseState.Open} END
                        WHEN s.decided_least > 0 THEN {(short)CaseState.Resolved} ELSE {(short)CaseState.Denied} END::smallint AS state
            FROM before b JOIN said s USING (id)),
        now AS (
            SELECT n.*, CASE WHEN n.state = {(short)CaseState.Resolved} AND n.decided_least = n.decided_most THEN n.decided_least END AS resolution,
                   l.decided_by AS resolved_by, l.decided_at AS resolved_at, l.decided_reason AS resolution_reason
            FROM stands n LEFT JOIN LATERAL (
                SELECT s.decided_by, s.decided_at, s.decided_reason FROM case_signups s
                WHERE n.state = {(short)CaseState.Resolved} AND s.tenant = $1 AND s.case_id = n.id ORDER BY s.decided_at DESC, s.ordinal LIMIT 1) l ON true),
        written AS (
            UPDATE cases c SET
                state = n.state, signups = n.signups, verdict = n.verdict, score = n.score, appealed = n.appealed, revision = c.revision + 1, updated_at = $3,
                priority = {Priority("n.score", "n.signups")},
                ordinal = t.ordinal, signup_id = t.signup_id, reason_codes = t.reason_codes, labels = t.labels, country = t.country,
                network_class = t.network_class, channel = t.channel, product = t.product,
                resolution = n.resolution, resolved_by = n.resolved_by, resolved_at = n.resolved_at, resolution_reason = n.resolution_reason,
                -- Nobody holds what does not wait.
                claimed_by = CASE WHEN n.state IN ({(short)CaseState.Resolved}, {(short)CaseState.Denied}) THEN NULL ELSE c.claimed_by END,
                claimed_until = CASE WHEN n.state IN ({(short)CaseState.Resolved}, {(short)CaseState.Denied}) THEN NULL ELSE c.claimed_until END
            FROM now n,
                 LATERAL (SELECT s.* FROM case_signups s WHERE s.tenant = $1 AND s.case_id = n.id ORDER BY s.score DESC, s.ordinal LIMIT 1) t
            WHERE c.tenant = $1 AND c.id = n.id
              -- An etag stays while a case stays what it was.
              AND (c.state, c.signups, c.verdict, c.score, c.appealed, c.ordinal, c.reason_codes, c.labels, c.resolution, c.resolved_by, c.resolved_at, c.resolution_reason)
                  IS DISTINCT FROM (n.state, n.signups, n.verdict, n.score, n.appealed, t.ordinal, t.reason_codes, t.labels, n.resolution, n.resolved_by, n.resolved_at, n.resolution_reason))
        INSERT INTO case_events (tenant, case_id, at, actor, kind, detail)
        SELECT $1, n.id, $3, n.resolved_by,
               CASE n.state WHEN {(short)CaseState.Resolved} THEN 'resolved' WHEN {(short)CaseState.Denied} THEN 'denied' ELSE 'reopened' END,
               CASE n.state WHEN {(short)CaseState.Resolved} THEN CASE n.resolution WHEN {(short)CaseResolution.Allow} THEN 'allow' WHEN {(short)CaseResolution.Deny} THEN 'deny' ELSE 'some each way' END || coalesce(' ' || n.resolution_reason, '') END
        FROM now n WHERE n.state <> n.was OR (n.state = {(short)CaseState.Resolved} AND n.resolved_by IS NOT NULL AND n.resolved_at <> n.resolved_before) ORDER BY n.id
        """;
}
