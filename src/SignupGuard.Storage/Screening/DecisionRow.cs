using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

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

    public static NpgsqlBatchCommand Insert(List<(string Tenant, StoredDecision Decision)> decisions) =>
        new(
            """
            INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body, facts)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """)
        {
            Parameters =
            {
                Sql.Array(decisions.ConvertAll(item => item.Tenant).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.Ordinal).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.Revision).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.RecordedAt.ToUniversalTime()).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.DecidedAt.ToUniversalTime()).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.DecisionId).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.SignupId).ToArray()),
                Sql.Array(decisions.ConvertAll(item => (short)item.Decision.Body.Verdict).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.Body.Score).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.PolicyVersion).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.OutwardCode).ToArray()),
                Sql.Array(decisions.ConvertAll(item => item.Decision.Cause).ToArray()),
                new NpgsqlParameter
                {
                    Value = decisions.ConvertAll(item => JsonSerializer.Serialize(item.Decision.Body, StorageJson.Default.DecisionBody)).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
                },
                Sql.Array(decisions.ConvertAll(item => item.Decision.Facts!).ToArray()),
            },
        };
}
