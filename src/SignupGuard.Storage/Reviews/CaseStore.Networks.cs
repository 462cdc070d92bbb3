using System.Data;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Outcomes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>What deciding a network, or some of its members, would do.</summary>
/// <param name="Allowed">Of those whose verdict would change: allowed now; the next two likewise.</param>
/// <param name="DecidedByPeople">Left as they are.</param>
/// <param name="KnownGood">Of those whose verdict would change: found honest by an outcome; the next: fraudulent.</param>
/// <param name="Cases">That would be resolved.</param>
public sealed record NetworkPreview(ClusterMark Mark, long Members, long Allowed, long Reviewed, long Denied, long DecidedByPeople, long KnownGood, long KnownBad, long Cases);

/// <summary>How far the decision on a network has come.</summary>
/// <param name="Changed">Of those done: verdicts that changed.</param>
/// <param name="Skipped">Of those done: left as they were, decided by a person before, or no member any more.</param>
public sealed record NetworkProgress(Guid Id, long Done, long Total, long Changed, long Skipped, bool Finished);

/// <summary>Why a network was left as it is.</summary>
public abstract record NetworkRefusal
{
    private NetworkRefusal()
    {
    }

    /// <summary>There is no such network any more.</summary>
    public sealed record Unknown : NetworkRefusal;

    /// <summary>It is another than the one that was previewed.</summary>
    public sealed record Changed : NetworkRefusal;

    /// <summary>There is no such decision on this network.</summary>
    public sealed record ResolutionUnknown : NetworkRefusal;

    /// <summary>Another reviewer holds its case.</summary>
    public sealed record Claimed(string By, DateTimeOffset Until) : NetworkRefusal;
}

/// <summary>How far a decision has come, or why there is none.</summary>
public readonly record struct NetworkStep(NetworkProgress? Progress, NetworkRefusal? Refusal)
{
    internal static NetworkStep Refused(NetworkRefusal refusal) => new(null, refusal);
}

/// <summary>Decisions on whole networks: what is to be decided is stored first, then done in chunks, each a transaction of its own, by whoever goes on with it.</summary>
public sealed partial class CaseStore
{
    /// <summary>Members decided in one transaction: the tenant's screening waits for its last part, some tens of milliseconds.</summary>
    public const int ChunkMembersMax = 100;

    private const short Waits = 0;
    private const short VerdictChanged = 1;
    private const short VerdictStays = 2;
    private const short Skipped = 3;

    /// <param name="signupIds">Only these; empty: all members.</param>
    /// <returns>Null when there is no such network.</returns>
    public async Task<NetworkPreview?> PreviewAsync(string tenant, long cluster, CaseResolution resolution, IReadOnlyList<string> signupIds, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        // Of one moment: the mark is that of what was counted.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        if (!await ClusterStore.ExistsAsync(connection, tenant, cluster, cancellation)) return null;
        var mark = await ClusterMark.ReadAsync(connection, tenant, cluster, cancellation);
        await using var command = new NpgsqlCommand(
            $"""
            WITH chosen AS MATERIALIZED (
                SELECT i.ordinal, coalesce(l.label, 0) AS label, l.labelled_by IS NOT NULL AS by_person, d.verdict
                FROM cluster_members m
                JOIN signup_ids i ON i.tenant = m.tenant AND i.ordinal = m.ordinal
                LEFT JOIN labels l ON l.tenant = m.tenant AND l.ordinal = m.ordinal
                JOIN {DecisionRow.Latest("d.verdict", "i")} ON true
                WHERE m.tenant = $1 AND m.cluster = $2 AND ($3::text[] IS NULL OR i.signup_id = ANY($3))),
            changing AS (SELECT * FROM chosen WHERE NOT by_person AND verdict <> $4),
            cases_of AS (SELECT DISTINCT s.case_id FROM chosen c JOIN case_signups s ON s.tenant = $1 AND s.ordinal = c.ordinal)
            SELECT (SELECT count(*) FROM chosen),
                   (SELECT count(*) FROM changing WHERE verdict = {(short)Verdict.Allow}),
                   (SELECT count(*) FROM changing WHERE verdict = {(short)Verdict.Review}),
                   (SELECT count(*) FROM changing WHERE verdict = {(short)Verdict.Deny}),
                   (SELECT count(*) FROM chosen WHERE by_person),
                   (SELECT count(*) FROM changing WHERE label = {(short)Label.Good}),
                   (SELECT count(*) FROM changing WHERE label = {(short)Label.Bad}),
                   (SELECT count(*) FROM cases_of o JOIN cases c ON c.tenant = $1 AND c.id = o.case_id
                    WHERE c.state <> {(short)CaseState.Resolved} AND NOT EXISTS (
                        SELECT FROM case_signups s LEFT JOIN chosen j ON j.ordinal = s.ordinal AND NOT j.by_person
                        WHERE s.tenant = $1 AND s.case_id = c.id AND s.decided = 0 AND j.ordinal IS NULL))
            """,
            connection)
        {
            Parameters =
            {
                Sql.Value(tenant),
                Sql.Value(cluster),
                Some(signupIds),
                Sql.Value((short)(resolution == CaseResolution.Allow ? Verdict.Allow : Verdict.Deny)),
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new NetworkPreview(
            mark, reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6), reader.GetInt64(7));
    }

    /// <summary>Stores that a network's members are to be decided; <see cref="ResolveNextAsync"/> does it.</summary>
    /// <param name="mark">Of the preview. Members that came after it are left out.</param>
    /// <param name="signupIds">Only these; empty: all members.</param>
    /// <param name="overridePeople">Also members that a person decided before.</param>
    public async Task<NetworkStep> StartResolutionAsync(
        string tenant,
        long cluster,
        ClusterMark mark,
        ReviewDecision decision,
        IReadOnlyList<string> signupIds,
        bool overridePeople,
        CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        if (!await ClusterStore.ExistsAsync(connection, tenant, cluster, cancellation)) return NetworkStep.Refused(new NetworkRefusal.Unknown());
        if (await ClusterMark.ReadAsync(connection, tenant, cluster, cancellation, upTo: mark.Newest) != mark) return NetworkStep.Refused(new NetworkRefusal.Changed());
        var now = Now;
        var stored = await LockNetworkAsync(connection, tenant, cluster, cancellation);
        if (stored?.HolderAt(now) is { } holder && holder != decision.Actor) return NetworkStep.Refused(new NetworkRefusal.Claimed(holder, stored.ClaimedUntil!.Value));

        var id = Guid.CreateVersion7(now);
        await RunAsync(
            connection,
            "INSERT INTO cluster_resolutions (tenant, id, cluster, resolution, reason, note, override_people, actor, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                Sql.Value(tenant),
                Sql.Value(id),
                Sql.Value(cluster),
                Sql.Value((short)decision.Resolution),
                Sql.Value(decision.Reason),
                Text(decision.Note),
                Sql.Value(overridePeople),
                Sql.Value(decision.Actor),
                Sql.Value(now),
            ],
            cancellation);
        await RunAsync(
            connection,
            """
            INSERT INTO cluster_resolution_members (tenant, resolution_id, ordinal, signup_id)
            SELECT $1, $3, i.ordinal, i.signup_id FROM cluster_members m JOIN signup_ids i ON i.tenant = m.tenant AND i.ordinal = m.ordinal
            WHERE m.tenant = $1 AND m.cluster = $2 AND m.ordinal <= $4 AND ($5::text[] IS NULL OR i.signup_id = ANY($5))
            """,
            [Sql.Value(tenant), Sql.Value(cluster), Sql.Value(id), Sql.Value(mark.Newest), Some(signupIds)],
            cancellation);
        if (stored is not null && decision.Note is { } note) await RunAsync(connection, Note(tenant, stored.Id, new StoredNote(Guid.CreateVersion7(now), decision.Actor, now, note)), cancellation);
        var progress = await ProgressAsync(connection, tenant, id, cancellation);
        var change = Change(decision);
        change["resolution_id"] = id.ToString();
        change["members"] = progress.Total;
        change["override_people"] = overridePeople;
        await AuditLog.AppendAsync(connection, Audited(tenant, decision.Actor, "resolution_started", cluster) with { Change = change.ToJsonString(), Note = decision.Note }, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new NetworkStep(progress, null);
    }

    /// <summary>Takes up a decision that stopped, in the name of who goes on with it; as it is, when it is done.</summary>
    public async Task<NetworkStep> GoOnAsync(string tenant, long cluster, Guid id, string actor, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await ResolutionAsync(connection, tenant, id, cancellation) is not { } stored || stored.Cluster != cluster) return NetworkStep.Refused(new NetworkRefusal.ResolutionUnknown());
        var progress = await ProgressAsync(connection, tenant, id, cancellation);
        if (!progress.Finished)
        {
            var change = new JsonObject { ["resolution_id"] = id.ToString() };
            await AuditLog.AppendAsync(connection, Audited(tenant, actor, "resolution_continued", cluster) with { Change = change.ToJsonString() }, Now, cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return new NetworkStep(progress, null);
    }

    /// <summary>Decides the next members of a decision that was started: all that follows for them, in one transaction. Each member once, whoever asks.</summary>
    /// <param name="open">Opens a signup's stored facts, for members that had no case; null when they can't be read.</param>
    public async Task<NetworkStep> ResolveNextAsync(string tenant, Guid id, Func<byte[], OpenedFacts?> open, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        if (await ResolutionAsync(connection, tenant, id, cancellation) is not { } stored) return NetworkStep.Refused(new NetworkRefusal.ResolutionUnknown());
        var now = Now;
        var members = await WaitingAsync(connection, tenant, id, stored, cancellation);
        var results = members.ToDictionary(member => member.Ordinal, _ => Skipped);
        var histories = await DecisionReader.HistoriesAsync(connection, tenant, [.. members.Where(member => !member.Skip).Select(member => member.Ordinal)], cancellation);
        var accounts = histories.Values.Select(history => stored.Decision.Judge(history, now)).ToList();
        foreach (var account in accounts) results[account.First.Ordinal] = account.Changed is null ? VerdictStays : VerdictChanged;
        if (accounts.Count > 0)
        {
            var ordinals = accounts.ConvertAll(account => account.First.Ordinal).ToArray();
            // Those who had no case yet, and are flagged now or were until now.
            await WriteSignupsAsync(
                connection, tenant, accounts.ConvertAll(account => (account.InForce, account.InForce.Body.Verdict > Verdict.Allow || stored.Decision.Verdict > Verdict.Allow)), open, cancellation);
            var touched = await PlaceAsync(connection, tenant, ordinals, cancellation);
            await DecideSignupsAsync(connection, tenant, accounts, stored.Decision, now, cancellation);
            await SumUpAsync(connection, tenant, touched, cancellation);
            var change = Change(stored.Decision);
            change["resolution_id"] = id.ToString();
            change["signup_ids"] = new JsonArray([.. accounts.Select(account => (JsonNode)account.First.SignupId)]);
            await AuditLog.AppendAsync(connection, Audited(tenant, stored.Decision.Actor, "resolved", stored.Cluster) with { Change = change.ToJsonString() }, now, cancellation);
        }
        await RunAsync(
            connection,
            "UPDATE cluster_resolution_members m SET result = u.result FROM unnest($3, $4) AS u (ordinal, result) WHERE m.tenant = $1 AND m.resolution_id = $2 AND m.ordinal = u.ordinal",
            [Sql.Value(tenant), Sql.Value(id), Sql.Array(results.Keys.ToArray()), Sql.Array(results.Values.ToArray())],
            cancellation);
        await RunAsync(
            connection,
            $"""
            UPDATE cluster_resolutions r SET finished_at = $3 WHERE r.tenant = $1 AND r.id = $2 AND r.finished_at IS NULL
                AND NOT EXISTS (SELECT FROM cluster_resolution_members m WHERE m.tenant = $1 AND m.resolution_id = $2 AND m.result = {Waits})
            """,
            [Sql.Value(tenant), Sql.Value(id), Sql.Value(now)],
            cancellation);
        var progress = await ProgressAsync(connection, tenant, id, cancellation);
        await Labelling.WriteAsync(connection, tenant, accounts, stored.Decision.Label, stored.Decision.Actor, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new NetworkStep(progress, null);
    }

    private sealed record StoredResolution(long Cluster, ReviewDecision Decision, bool OverridePeople, DateTimeOffset StartedAt);

    private static async Task<StoredResolution?> ResolutionAsync(NpgsqlConnection connection, string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT cluster, actor, resolution, reason, note, override_people, started_at FROM cluster_resolutions WHERE tenant = $1 AND id = $2", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(id) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new StoredResolution(
                reader.GetInt64(0),
                new ReviewDecision(reader.GetString(1), (CaseResolution)reader.GetInt16(2), reader.GetString(3), await reader.IsDBNullAsync(4, cancellation) ? null : reader.GetString(4)),
                reader.GetBoolean(5),
                reader.GetFieldValue<DateTimeOffset>(6))
            : null;
    }

    /// <summary>The next members that wait, and which of them are left as they are.</summary>
    private static async Task<List<(long Ordinal, bool Skip)>> WaitingAsync(NpgsqlConnection connection, string tenant, Guid id, StoredResolution stored, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT w.ordinal,
                   (l.labelled_by IS NOT NULL AND NOT $3)
                   -- Taken out of the network since: somebody found that it is none of it.
                   OR m.cluster IS NULL OR EXISTS (SELECT FROM cluster_ties t WHERE t.tenant = $1 AND t.ordinal = w.ordinal AND t.cut_at >= $4)
            FROM (SELECT ordinal FROM cluster_resolution_members WHERE tenant = $1 AND resolution_id = $2 AND result = {Waits} ORDER BY ordinal LIMIT {ChunkMembersMax}) w
            LEFT JOIN labels l ON l.tenant = $1 AND l.ordinal = w.ordinal
            LEFT JOIN cluster_members m ON m.tenant = $1 AND m.ordinal = w.ordinal
            ORDER BY w.ordinal
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(id), Sql.Value(stored.OverridePeople), Sql.Value(stored.StartedAt) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = new List<(long, bool)>();
        while (await reader.ReadAsync(cancellation)) members.Add((reader.GetInt64(0), reader.GetBoolean(1)));
        return members;
    }

    private static async Task<NetworkProgress> ProgressAsync(NpgsqlConnection connection, string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT count(*) FILTER (WHERE result <> {Waits}), count(*), count(*) FILTER (WHERE result = {VerdictChanged}), count(*) FILTER (WHERE result = {Skipped})
            FROM cluster_resolution_members WHERE tenant = $1 AND resolution_id = $2
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(id) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var (done, total) = (reader.GetInt64(0), reader.GetInt64(1));
        return new NetworkProgress(id, done, total, reader.GetInt64(2), reader.GetInt64(3), done == total);
    }

    /// <summary>Locks the row of a network's case; null when it has none.</summary>
    private static async Task<StoredCase?> LockNetworkAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"SELECT {CaseRow.Columns} FROM cases c WHERE c.tenant = $1 AND c.cluster = $2 AND c.merged_into IS NULL FOR UPDATE", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? CaseRow.Read(reader, 0) : null;
    }

    private static NpgsqlParameter Some(IReadOnlyList<string> ids) => Sql.Nullable(ids.Count == 0 ? null : ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);

    private static AuditEntry Audited(string tenant, string actor, string kind, long cluster) => new()
    {
        Tenant = tenant,
        Actor = actor,
        Action = $"cluster.{kind}",
        Subject = $"clusters/{cluster}",
    };
}
