using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;
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
        if (!await InsertAsync(connection, tenant, history[0].Ordinal, kind, occurredAt, note, cancellation)) return false;

        var now = clock.GetUtcNow();
        var account = JudgedAccount.Of(history, consequence.Verdict, DecisionCause.Outcome, consequence.Code, consequence.Text, now);
        if (account.Changed is null && consequence.Verdict is { } same) await ConfirmAsync(connection, tenant, account.First.Ordinal, same, consequence.Code, now, cancellation);
        await Labelling.WriteAsync(connection, tenant, [account], consequence.Label, null, now, cancellation);
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

    /// <summary>No decision changes, so the stream tells the worker of cases nothing: an account that the policy denied is now known to be bad, and its case looks again.</summary>
    private static async Task ConfirmAsync(NpgsqlConnection connection, string tenant, long ordinal, Verdict verdict, string code, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            WITH confirmed AS (
                UPDATE case_signups SET decided = $3, decided_by = NULL, decided_at = $4, decided_reason = $5 WHERE tenant = $1 AND ordinal = $2 AND decided = 0 RETURNING ordinal)
            INSERT INTO case_moves (tenant, ordinal) SELECT $1, ordinal FROM confirmed
            """,
            connection)
        {
            Parameters =
            {
                Sql.Value(tenant),
                Sql.Value(ordinal),
                Sql.Value((short)(verdict == Verdict.Deny ? CaseResolution.Deny : CaseResolution.Allow)),
                Sql.Value(now.ToUniversalTime()),
                Sql.Value(code),
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
