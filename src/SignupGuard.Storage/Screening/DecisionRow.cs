using System.Text.Json;
using Npgsql;

namespace SignupGuard.Storage.Screening;

/// <summary>Why a decision was made; stored as text.</summary>
public static class DecisionCause
{
    public const string Screened = "screened";
    public const string Network = "network";
    public const string Review = "review";
    public const string Outcome = "outcome";
    public const string Recovered = "recovered";
}

/// <summary>One row of <c>decisions</c>: its columns beside their reader and writer.</summary>
internal static class DecisionRow
{
    /// <summary>For a table aliased <c>d</c>.</summary>
    public const string Columns =
        "d.decision_id, d.signup_id, d.ordinal, d.recorded_at, d.revision, d.policy_version, d.decided_at, d.outward_code, d.cause, d.body::text, d.facts";

    public const int ColumnCount = 11;

    /// <summary>The decision in force of each signup, joined as <c>d</c>: looked up by the signup's own keys in its month, where $1 is the tenant.</summary>
    /// <param name="columns">Of <c>d</c>.</param>
    /// <param name="signups">Alias of what has ordinal and recorded_at.</param>
    /// <param name="only">The last of those that fulfil this, too: " AND …".</param>
    public static string Latest(string columns, string signups, string only = "") =>
        $"""
        LATERAL (
            SELECT {columns} FROM decisions d WHERE d.tenant = $1 AND d.ordinal = {signups}.ordinal AND d.recorded_at = {signups}.recorded_at{only}
            ORDER BY d.revision DESC LIMIT 1) d
        """;

    /// <summary>Reads <see cref="Columns"/> from a column on.</summary>
    public static StoredDecision Read(NpgsqlDataReader reader, int from) => new()
    {
        DecisionId = reader.GetGuid(from),
        SignupId = reader.GetString(from + 1),
        Ordinal = reader.GetInt64(from + 2),
        RecordedAt = reader.GetFieldValue<DateTimeOffset>(from + 3),
        Revision = reader.GetInt32(from + 4),
        PolicyVersion = reader.GetInt64(from + 5),
        DecidedAt = reader.GetFieldValue<DateTimeOffset>(from + 6),
        OutwardCode = reader.GetString(from + 7),
        Cause = reader.GetString(from + 8),
        Body = JsonSerializer.Deserialize(reader.GetString(from + 9), StorageJson.Default.DecisionBody)
            ?? throw new InvalidDataException("A stored decision is empty."),
        Facts = reader.IsDBNull(from + 10) ? null : reader.GetFieldValue<byte[]>(from + 10),
    };

    public static NpgsqlBatchCommand Insert(List<(string Tenant, StoredDecision Decision)> decisions)
    {
        var columns = new DecisionColumns();
        foreach (var (tenant, decision) in decisions) columns.Add(tenant, decision);
        return columns.Insert();
    }
}
