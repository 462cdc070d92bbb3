using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Reviews;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Who holds a case, and notes: under the lock of the case's row alone.</summary>
public sealed partial class CaseStore
{
    /// <summary>
    /// Rows that another caller is taking are passed over, so two never get the same and none waits. Walks the queue's index.
    /// </summary>
    /// <param name="condition">Of cases aliased <c>c</c>.</param>
    internal static string ClaimNextSql(string condition) =>
        $"""
        WITH next AS (
            SELECT c.id, c.claimed_by FROM cases c
            WHERE c.tenant = $1 AND c.state = $2 AND c.merged_into IS NULL AND (c.claimed_until IS NULL OR c.claimed_until <= $3) AND {condition}
            ORDER BY c.appealed DESC, c.priority DESC, c.opened_at, c.id LIMIT 1 FOR UPDATE OF c SKIP LOCKED)
        UPDATE cases c SET claimed_by = $4, claimed_until = $5, revision = c.revision + 1, updated_at = $3
        FROM next WHERE c.tenant = $1 AND c.id = next.id
        RETURNING {CaseRow.Columns}, next.claimed_by
        """;

    /// <summary>Takes the next case of a queue that nobody holds.</summary>
    /// <param name="states">In this order: a later state's only when an earlier one has none left.</param>
    /// <returns>Null when none is left.</returns>
    public async Task<StoredCase?> ClaimNextAsync(string tenant, string actor, IReadOnlyList<CaseState> states, IndexCondition condition, TimeSpan lease, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var state in states)
        {
            var now = Now;
            StoredCase? taken = null;
            string? before = null;
            var parameters = new SqlParameters();
            parameters.Add(tenant);
            parameters.Add((short)state);
            parameters.Add(now);
            parameters.Add(actor);
            parameters.Add(now + lease);
            await using (var command = parameters.Command(connection, ClaimNextSql(CaseSearch.Condition(condition, parameters))))
            {
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                if (await reader.ReadAsync(cancellation))
                {
                    taken = CaseRow.Read(reader, 0);
                    before = await reader.IsDBNullAsync(CaseRow.ColumnCount, cancellation) ? null : reader.GetString(CaseRow.ColumnCount);
                }
            }
            if (taken is null) continue;
            await RecordClaimAsync(connection, tenant, taken, actor, before, tookOver: false, now, cancellation);
            await transaction.CommitAsync(cancellation);
            return taken;
        }
        return null;
    }

    /// <summary>Takes this case, or prolongs the caller's own lease on it, which changes nothing else.</summary>
    /// <param name="takeOver">Also from another who holds it.</param>
    public async Task<CaseChange> ClaimAsync(string tenant, Guid id, string actor, TimeSpan lease, bool takeOver, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await LockAsync(connection, tenant, id, cancellation) is not { } stored) return CaseChange.Refused(new CaseRefusal.Unknown());
        if (stored.State is CaseState.Resolved or CaseState.Denied) return CaseChange.Refused(new CaseRefusal.State(stored.State));
        var now = Now;
        var holder = stored.HolderAt(now);
        if (holder is not null && holder != actor && !takeOver) return CaseChange.Refused(new CaseRefusal.Claimed(holder, stored.ClaimedUntil!.Value));
        var claimed = stored with { ClaimedBy = actor, ClaimedUntil = now + lease };
        if (holder != actor)
        {
            claimed = claimed with { Revision = stored.Revision + 1, UpdatedAt = now };
            await RecordClaimAsync(connection, tenant, claimed, actor, stored.ClaimedBy, tookOver: holder is not null, now, cancellation);
        }
        await WriteLeaseAsync(connection, tenant, claimed, cancellation);
        await transaction.CommitAsync(cancellation);
        return CaseChange.Done(claimed);
    }

    /// <summary>Gives a case back undecided.</summary>
    public async Task<CaseChange> ReleaseAsync(string tenant, Guid id, string actor, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await LockAsync(connection, tenant, id, cancellation) is not { } stored) return CaseChange.Refused(new CaseRefusal.Unknown());
        var now = Now;
        if (stored.HolderAt(now) != actor) return CaseChange.Refused(new CaseRefusal.NotClaimed());
        var released = stored with
        {
            ClaimedBy = null,
            ClaimedUntil = null,
            Revision = stored.Revision + 1,
            UpdatedAt = now,
        };
        await WriteLeaseAsync(connection, tenant, released, cancellation);
        await RecordAsync(connection, tenant, stored.Id, actor, "released", null, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return CaseChange.Done(released);
    }

    /// <summary>Adds a note to a case, whatever its state and whoever holds it.</summary>
    /// <returns>Null when there is no such case.</returns>
    public async Task<StoredNote?> AddNoteAsync(string tenant, Guid id, string author, string text, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await LockAsync(connection, tenant, id, cancellation) is not { } stored) return null;
        var note = new StoredNote(Guid.CreateVersion7(Now), author, Now, text);
        await RunAsync(connection, Note(tenant, stored.Id, note), cancellation);
        await AuditLog.AppendAsync(connection, Audited(tenant, author, "noted", stored.Id), note.At, cancellation);
        await transaction.CommitAsync(cancellation);
        return note;
    }

    private static NpgsqlBatchCommand Note(string tenant, Guid id, StoredNote note) =>
        new("INSERT INTO case_notes (tenant, id, case_id, author, at, text) VALUES ($1, $2, $3, $4, $5, $6)")
        {
            Parameters = { Sql.Value(tenant), Sql.Value(note.Id), Sql.Value(id), Sql.Value(note.Author), Sql.Value(note.At.ToUniversalTime()), Sql.Value(note.Text) },
        };

    /// <summary>Locks the row of a case, or of the one it was folded into, until the transaction ends; null when there is none.</summary>
    private static async Task<StoredCase?> LockAsync(NpgsqlConnection connection, string tenant, Guid id, CancellationToken cancellation)
    {
        // A case may be folded while its row is waited for; then the one it leads to is the next to lock.
        for (var wanted = id; ;)
        {
            await using var command = new NpgsqlCommand($"SELECT {CaseRow.Columns}, c.merged_into FROM cases c WHERE c.tenant = $1 AND c.id = $2 FOR UPDATE", connection)
            {
                Parameters = { Sql.Value(tenant), Sql.Value(wanted) },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (!await reader.ReadAsync(cancellation)) return null;
            if (await reader.IsDBNullAsync(CaseRow.ColumnCount, cancellation)) return CaseRow.Read(reader, 0);
            wanted = reader.GetGuid(CaseRow.ColumnCount);
        }
    }

    private static Task WriteLeaseAsync(NpgsqlConnection connection, string tenant, StoredCase stored, CancellationToken cancellation) =>
        RunAsync(
            connection,
            "UPDATE cases SET claimed_by = $3, claimed_until = $4, revision = $5, updated_at = $6 WHERE tenant = $1 AND id = $2",
            [
                Sql.Value(tenant),
                Sql.Value(stored.Id),
                Text(stored.ClaimedBy),
                Sql.Nullable(stored.ClaimedUntil?.ToUniversalTime(), NpgsqlDbType.TimestampTz),
                Sql.Value(stored.Revision),
                Sql.Value(stored.UpdatedAt.ToUniversalTime()),
            ],
            cancellation);

    /// <param name="before">The last who held it, whether their lease ran or not.</param>
    private static async Task RecordClaimAsync(NpgsqlConnection connection, string tenant, StoredCase claimed, string actor, string? before, bool tookOver, DateTimeOffset now, CancellationToken cancellation)
    {
        // Nobody clears a lease that runs out: whoever takes the case next tells of it.
        if (before is not null && !tookOver) await RunAsync(connection, Event(tenant, claimed.Id, now, null, "lease_expired", before), cancellation);
        await RecordAsync(connection, tenant, claimed.Id, actor, tookOver ? "taken_over" : "claimed", tookOver ? before : null, now, cancellation);
    }

    /// <summary>In the case's history and in the audit.</summary>
    private static async Task RecordAsync(NpgsqlConnection connection, string tenant, Guid id, string actor, string kind, string? detail, DateTimeOffset now, CancellationToken cancellation)
    {
        await RunAsync(connection, Event(tenant, id, now, actor, kind, detail), cancellation);
        await AuditLog.AppendAsync(connection, Audited(tenant, actor, kind, id) with { Note = detail }, now, cancellation);
    }

    private static AuditEntry Audited(string tenant, string actor, string kind, Guid id) => new()
    {
        Tenant = tenant,
        Actor = actor,
        Action = $"case.{kind}",
        Subject = $"cases/{id}",
    };
}
