using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;

namespace SignupGuard.Storage.Screening;

/// <summary>What happened to an account later.</summary>
public sealed record StoredOutcome(string Kind, DateTimeOffset OccurredAt);

/// <summary>A place in the stream of decisions: by transaction, so that a later place never commits before an earlier one is seen.</summary>
public readonly record struct StreamPosition(ulong Xid, long Ordinal, int Revision)
{
    /// <summary>Before all.</summary>
    public static StreamPosition Start => default;

    /// <param name="token">As <see cref="ToString"/> writes it; empty: the start.</param>
    /// <exception cref="FormatException">No token of this service.</exception>
    public static StreamPosition Parse(string token)
    {
        if (token.Length == 0) return Start;
        var parts = token.Split('.');
        return parts.Length == 3
            && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var xid)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? new StreamPosition(xid, ordinal, revision)
            : throw new FormatException("Not a token of this stream.");
    }

    /// <summary>The token of this place.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Xid}.{Ordinal}.{Revision}");
}

/// <summary>A decision with its place in the stream of changes.</summary>
/// <param name="Position">Resume after it.</param>
/// <param name="PreviousVerdict">Null for a first decision.</param>
public sealed record StreamedDecision(StreamPosition Position, StoredDecision Decision, short? PreviousVerdict);

/// <summary>Reads decisions, outcomes and the stream of changes.</summary>
public sealed class DecisionReader(NpgsqlDataSource source)
{
    /// <summary>Every revision of a signup's decision, oldest first; empty when there is no such signup.</summary>
    public async Task<IReadOnlyList<StoredDecision>> HistoryAsync(string tenant, string signupId, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        return await HistoryAsync(connection, tenant, signupId, cancellation);
    }

    internal static async Task<IReadOnlyList<StoredDecision>> HistoryAsync(NpgsqlConnection connection, string tenant, string signupId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT {DecisionRow.Columns} FROM signup_ids s JOIN decisions d USING (tenant, ordinal, recorded_at) WHERE s.tenant = $1 AND s.signup_id = $2 ORDER BY d.revision",
            connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = tenant });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = signupId });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var decisions = new List<StoredDecision>();
        while (await reader.ReadAsync(cancellation)) decisions.Add(DecisionRow.Read(reader, 0));
        return decisions;
    }

    /// <summary>The same of several signups, each in its order; those that retention dropped are left out.</summary>
    internal static async Task<Dictionary<long, List<StoredDecision>>> HistoriesAsync(NpgsqlConnection connection, string tenant, long[] ordinals, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT {DecisionRow.Columns} FROM signup_ids s JOIN decisions d USING (tenant, ordinal, recorded_at) WHERE s.tenant = $1 AND s.ordinal = ANY($2) ORDER BY d.ordinal, d.revision",
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Array(ordinals) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var histories = new Dictionary<long, List<StoredDecision>>();
        while (await reader.ReadAsync(cancellation))
        {
            var decision = DecisionRow.Read(reader, 0);
            if (!histories.TryGetValue(decision.Ordinal, out var history)) histories[decision.Ordinal] = history = [];
            history.Add(decision);
        }
        return histories;
    }

    public async Task<IReadOnlyList<StoredOutcome>> OutcomesAsync(string tenant, long ordinal, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT kind, occurred_at FROM outcomes WHERE tenant = $1 AND ordinal = $2 ORDER BY occurred_at");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = tenant });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = ordinal });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var outcomes = new List<StoredOutcome>();
        while (await reader.ReadAsync(cancellation)) outcomes.Add(new StoredOutcome(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1)));
        return outcomes;
    }

    /// <summary>Later verdicts alone. The literal condition is that of the index <c>decisions_changes</c>: a parameter would not match it.</summary>
    internal const string ChangesSql = StreamSelect + " AND d.revision > 1" + StreamOrder;

    /// <summary>First decisions too.</summary>
    internal const string AllSql = StreamSelect + StreamOrder;

    private const string StreamSelect =
        $"""
        SELECT d.xid::text, {DecisionRow.Columns},
               (SELECT p.verdict FROM decisions p WHERE p.tenant = d.tenant AND p.ordinal = d.ordinal AND p.recorded_at = d.recorded_at AND p.revision = d.revision - 1)
        FROM decisions d
        WHERE d.tenant = $1 AND (d.xid, d.ordinal, d.revision) > ($2::text::xid8, $3, $4) AND d.xid < pg_snapshot_xmin(pg_current_snapshot())
        """;

    // So many rows of the stream are read at a time.
    private const string StreamOrder = " ORDER BY d.xid, d.ordinal, d.revision LIMIT 500";

    /// <summary>
    /// Changes after a token, oldest first. Ordered by transaction, and only up to the oldest transaction still running, so that a slow
    /// commit is never skipped: it appears late, and everything after it waits for it.
    /// </summary>
    /// <param name="after">Empty: from the oldest kept.</param>
    /// <returns>An empty list when there is nothing new.</returns>
    /// <exception cref="FormatException">No token of this service.</exception>
    public async Task<IReadOnlyList<StreamedDecision>> ChangesAsync(string tenant, string after, bool changesOnly, CancellationToken cancellation)
    {
        var position = StreamPosition.Parse(after);
        await using var connection = await source.OpenConnectionAsync(cancellation);
        return await ChangesAsync(connection, tenant, position, changesOnly, cancellation);
    }

    internal static async Task<IReadOnlyList<StreamedDecision>> ChangesAsync(NpgsqlConnection connection, string tenant, StreamPosition after, bool changesOnly, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(changesOnly ? ChangesSql : AllSql, connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(after.Xid.ToString(CultureInfo.InvariantCulture)), Sql.Value(after.Ordinal), Sql.Value(after.Revision) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var changes = new List<StreamedDecision>();
        while (await reader.ReadAsync(cancellation))
        {
            var decision = DecisionRow.Read(reader, 1);
            changes.Add(new StreamedDecision(
                new StreamPosition(ulong.Parse(reader.GetString(0), CultureInfo.InvariantCulture), decision.Ordinal, decision.Revision),
                decision,
                await reader.IsDBNullAsync(1 + DecisionRow.ColumnCount, cancellation) ? null : reader.GetInt16(1 + DecisionRow.ColumnCount)));
        }
        return changes;
    }
}
