using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Outcomes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>What a reviewer decides.</summary>
/// <param name="Reason">Upper-case letters, digits and "_", 1 to 64.</param>
/// <param name="Note">Up to 4,000 characters.</param>
public sealed record ReviewDecision(string Actor, CaseResolution Resolution, string Reason, string? Note)
{
    internal Label Label => Resolution == CaseResolution.Allow ? Label.Good : Label.Bad;

    internal Verdict Verdict => Resolution == CaseResolution.Allow ? Verdict.Allow : Verdict.Deny;

    /// <summary>What is known of the account from now on.</summary>
    internal JudgedAccount Judge(IReadOnlyList<StoredDecision> history, DateTimeOffset now) => Resolution == CaseResolution.Allow
        ? JudgedAccount.Of(history, Verdict, DecisionCause.Review, "REVIEW_ALLOWED", $"A reviewer found the account honest ({Reason}).", now)
        : JudgedAccount.Of(history, Verdict, DecisionCause.Review, "REVIEW_DENIED", $"A reviewer found the account fraudulent ({Reason}).", now);
}

/// <summary>The case after it was decided, with its signup's decision in force; or why it was not.</summary>
public readonly record struct CaseResolved(CaseChange Change, StoredDecision? Decision);

/// <summary>A signup as it was sent, and an applicant's objections, sealed.</summary>
public sealed record SealedSignup(byte[] Facts, IReadOnlyList<byte[]> Appeals);

/// <summary>Decisions, escalations and appeals: the account's label and decision, its network's facts, the case, its history and the audit in one transaction.</summary>
public sealed partial class CaseStore
{
    /// <summary>Objections that may be open of one account.</summary>
    public const int AppealsMax = 20;

    /// <summary>Decides the one account of a case, whatever its state.</summary>
    /// <param name="revision">Of the case as it was read; null: whatever it is.</param>
    public async Task<CaseResolved> ResolveAsync(string tenant, Guid id, long? revision, ReviewDecision decision, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        var (stored, refusal) = await LockForWorkAsync(connection, tenant, id, revision, decision.Actor, cancellation);
        if (refusal is not null) return new CaseResolved(CaseChange.Refused(refusal), null);
        if (stored!.Cluster is { } cluster) return new CaseResolved(CaseChange.Refused(new CaseRefusal.Network(cluster)), null);
        var history = await DecisionReader.HistoryAsync(connection, tenant, stored.SignupId, cancellation);
        // Past its retention: nothing is left to decide, and the case goes too.
        if (history.Count == 0) return new CaseResolved(CaseChange.Refused(new CaseRefusal.Unknown()), null);

        var now = Now;
        var account = decision.Judge(history, now);
        await DecideSignupsAsync(connection, tenant, [account], decision, now, cancellation);
        await SumUpAsync(connection, tenant, [stored.Id], cancellation);
        if (decision.Note is { } note) await RunAsync(connection, Note(tenant, stored.Id, new StoredNote(Guid.CreateVersion7(now), decision.Actor, now, note)), cancellation);
        var change = Change(decision);
        change["signup_id"] = stored.SignupId;
        await AuditLog.AppendAsync(connection, Audited(tenant, decision.Actor, "resolved", stored.Id) with { Change = change.ToJsonString(), Note = decision.Note }, now, cancellation);
        var resolved = await LockAsync(connection, tenant, stored.Id, cancellation);
        await Labelling.WriteAsync(connection, tenant, [account], decision.Label, decision.Actor, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new CaseResolved(CaseChange.Done(resolved!), account.Changed ?? account.InForce);
    }

    /// <summary>Hands a case to senior reviewers, and ends the lease.</summary>
    public async Task<CaseChange> EscalateAsync(string tenant, Guid id, long? revision, string actor, string note, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var (stored, refusal) = await LockForWorkAsync(connection, tenant, id, revision, actor, cancellation);
        if (refusal is not null) return CaseChange.Refused(refusal);
        if (stored!.State != CaseState.Open) return CaseChange.Refused(new CaseRefusal.State(stored.State));
        var now = Now;
        var escalated = stored with
        {
            State = CaseState.Escalated,
            ClaimedBy = null,
            ClaimedUntil = null,
            Revision = stored.Revision + 1,
            UpdatedAt = now,
        };
        await RunAsync(
            connection, "UPDATE cases SET state = $3 WHERE tenant = $1 AND id = $2", [Sql.Value(tenant), Sql.Value(stored.Id), Sql.Value((short)CaseState.Escalated)], cancellation);
        await WriteLeaseAsync(connection, tenant, escalated, cancellation);
        await RunAsync(connection, Note(tenant, stored.Id, new StoredNote(Guid.CreateVersion7(now), actor, now, note)), cancellation);
        await RunAsync(connection, Event(tenant, stored.Id, now, actor, "escalated", null), cancellation);
        await AuditLog.AppendAsync(connection, Audited(tenant, actor, "escalated", stored.Id) with { Note = note }, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return CaseChange.Done(escalated);
    }

    /// <summary>Records an applicant's objection, and opens the case of the account that their code names.</summary>
    /// <param name="code">As <see cref="OutwardCode.Read"/> gives it.</param>
    /// <param name="text">Sealed; null: they said nothing.</param>
    public async Task<CaseChange> AppealAsync(string tenant, string code, byte[]? text, string actor, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClusterLock.TakeAsync(connection, tenant, cancellation);
        long ordinal;
        Guid id;
        int open;
        await using (var command = new NpgsqlCommand(
            """
            SELECT s.ordinal, s.case_id, (SELECT count(*)::integer FROM appeals a WHERE a.tenant = $1 AND a.ordinal = s.ordinal AND a.closed_at IS NULL)
            FROM case_signups s WHERE s.tenant = $1 AND s.outward_code = $2 ORDER BY s.ordinal DESC LIMIT 1
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(code) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (!await reader.ReadAsync(cancellation)) return CaseChange.Refused(new CaseRefusal.Unknown());
            (ordinal, id, open) = (reader.GetInt64(0), reader.GetGuid(1), reader.GetInt32(2));
        }
        if (open >= AppealsMax) return CaseChange.Refused(new CaseRefusal.AppealsTaken(AppealsMax));
        var now = Now;
        await RunAsync(
            connection,
            "INSERT INTO appeals (tenant, id, case_id, ordinal, opened_at, text) VALUES ($1, $2, $3, $4, $5, $6)",
            [Sql.Value(tenant), Sql.Value(Guid.CreateVersion7(now)), Sql.Value(id), Sql.Value(ordinal), Sql.Value(now), Sql.Nullable(text, NpgsqlTypes.NpgsqlDbType.Bytea)],
            cancellation);
        await RecordAsync(connection, tenant, id, actor, "appealed", null, now, cancellation);
        await SumUpAsync(connection, tenant, [id], cancellation);
        var appealed = await LockAsync(connection, tenant, id, cancellation);
        await transaction.CommitAsync(cancellation);
        return CaseChange.Done(appealed!);
    }

    /// <summary>A signup as it was sent, for a person who says why: recorded before anything is shown.</summary>
    /// <returns>Null when there is no such signup.</returns>
    public async Task<SealedSignup?> RevealAsync(string tenant, string signupId, string actor, string reason, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT s.facts FROM signup_ids i JOIN signups s USING (tenant, ordinal, recorded_at) WHERE i.tenant = $1 AND i.signup_id = $2")
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(signupId) },
                },
                new NpgsqlBatchCommand(
                    """
                    SELECT a.text FROM signup_ids i JOIN appeals a ON a.tenant = i.tenant AND a.ordinal = i.ordinal
                    WHERE i.tenant = $1 AND i.signup_id = $2 AND a.text IS NOT NULL ORDER BY a.opened_at, a.id
                    """)
                {
                    Parameters = { Sql.Value(tenant), Sql.Value(signupId) },
                },
            },
        };
        byte[] facts;
        var appeals = new List<byte[]>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellation))
        {
            if (!await reader.ReadAsync(cancellation)) return null;
            facts = reader.GetFieldValue<byte[]>(0);
            await reader.NextResultAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) appeals.Add(reader.GetFieldValue<byte[]>(0));
        }
        var entry = new AuditEntry
        {
            Tenant = tenant,
            Actor = actor,
            Action = "signup.revealed",
            Subject = $"signups/{signupId}",
            Note = reason,
        };
        await AuditLog.AppendAsync(connection, entry, Now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new SealedSignup(facts, appeals);
    }

    /// <summary>Locks a case for somebody who changes it: not when another holds it, nor when it is another than they read.</summary>
    private async Task<(StoredCase? Case, CaseRefusal? Refusal)> LockForWorkAsync(NpgsqlConnection connection, string tenant, Guid id, long? revision, string actor, CancellationToken cancellation)
    {
        if (await LockAsync(connection, tenant, id, cancellation) is not { } stored) return (null, new CaseRefusal.Unknown());
        if (stored.HolderAt(Now) is { } holder && holder != actor) return (null, new CaseRefusal.Claimed(holder, stored.ClaimedUntil!.Value));
        return revision is { } read && (read != stored.Revision || stored.Id != id) ? (null, new CaseRefusal.Changed()) : (stored, null);
    }

    /// <summary>Writes what a person decided beside the accounts, and ends their objections.</summary>
    private static async Task DecideSignupsAsync(NpgsqlConnection connection, string tenant, IReadOnlyList<JudgedAccount> accounts, ReviewDecision decision, DateTimeOffset now, CancellationToken cancellation)
    {
        var ordinals = accounts.Select(account => account.First.Ordinal).ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    """
                    UPDATE case_signups s SET decided = $4, decided_by = $5, decided_at = $6, decided_reason = $7, verdict = $8, revision = greatest(s.revision, u.revision)
                    FROM unnest($2, $3) AS u (ordinal, revision) WHERE s.tenant = $1 AND s.ordinal = u.ordinal
                    """)
                {
                    Parameters =
                    {
                        Sql.Value(tenant),
                        Sql.Array(ordinals),
                        Sql.Array(accounts.Select(account => (account.Changed ?? account.InForce).Revision).ToArray()),
                        Sql.Value((short)decision.Resolution),
                        Sql.Value(decision.Actor),
                        Sql.Value(now),
                        Sql.Value(decision.Reason),
                        Sql.Value((short)decision.Verdict),
                    },
                },
                new NpgsqlBatchCommand("UPDATE appeals SET closed_at = $3 WHERE tenant = $1 AND ordinal = ANY($2) AND closed_at IS NULL")
                {
                    Parameters = { Sql.Value(tenant), Sql.Array(ordinals), Sql.Value(now) },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private static JsonObject Change(ReviewDecision decision) => new()
    {
        ["resolution"] = decision.Resolution.ToString().ToLower(CultureInfo.InvariantCulture),
        ["reason"] = decision.Reason,
    };
}
