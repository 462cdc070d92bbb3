using Npgsql;
using SignupGuard.Core.Decisions;

namespace SignupGuard.Storage.Reviews;

/// <summary>One row of <c>cases</c>: its columns beside their reader.</summary>
internal static class CaseRow
{
    /// <summary>For a table aliased <c>c</c>.</summary>
    public const string Columns =
        """
        c.id, c.state, c.revision, c.ordinal, c.signup_id, c.cluster, c.signups, c.verdict, c.score, c.priority, c.appealed, c.reason_codes, c.labels,
        c.country, c.network_class, c.channel, c.product, c.opened_at, c.updated_at, c.claimed_by, c.claimed_until,
        c.resolution, c.resolved_by, c.resolved_at, c.resolution_reason
        """;

    public const int ColumnCount = 25;

    /// <summary>Fields of filters that are of the case itself, by the same alias.</summary>
    public static readonly IReadOnlyDictionary<string, FilterColumn> FilterColumns = new Dictionary<string, FilterColumn>(StringComparer.Ordinal)
    {
        ["case.state"] = new FilterColumn.Word("c.state", FilterWords.States),
        ["case.opened_at"] = new FilterColumn.Time("c.opened_at"),
        ["case.priority"] = new FilterColumn.Whole("c.priority"),
        ["case.signups"] = new FilterColumn.Whole("c.signups"),
        ["case.appealed"] = new FilterColumn.Flag("c.appealed"),
        ["case.resolution"] = new FilterColumn.Word("c.resolution", FilterWords.Resolutions),
        ["case.resolved_by"] = new FilterColumn.Text("c.resolved_by"),
        ["case.resolved_at"] = new FilterColumn.Time("c.resolved_at"),
    };

    /// <summary>Reads <see cref="Columns"/> from a column on.</summary>
    public static StoredCase Read(NpgsqlDataReader reader, int from) => new()
    {
        Id = reader.GetGuid(from),
        State = (CaseState)reader.GetInt16(from + 1),
        Revision = reader.GetInt64(from + 2),
        Ordinal = reader.GetInt64(from + 3),
        SignupId = reader.GetString(from + 4),
        Cluster = reader.IsDBNull(from + 5) ? null : reader.GetInt64(from + 5),
        Signups = reader.GetInt64(from + 6),
        Verdict = (Verdict)reader.GetInt16(from + 7),
        Score = reader.GetDouble(from + 8),
        Priority = reader.GetInt32(from + 9),
        Appealed = reader.GetBoolean(from + 10),
        ReasonCodes = reader.GetFieldValue<string[]>(from + 11),
        Labels = reader.GetFieldValue<string[]>(from + 12),
        Country = Text(reader, from + 13),
        NetworkClass = Text(reader, from + 14),
        Channel = Text(reader, from + 15),
        Product = Text(reader, from + 16),
        OpenedAt = reader.GetFieldValue<DateTimeOffset>(from + 17),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(from + 18),
        ClaimedBy = Text(reader, from + 19),
        ClaimedUntil = Time(reader, from + 20),
        Resolution = reader.IsDBNull(from + 21) ? null : (CaseResolution)reader.GetInt16(from + 21),
        ResolvedBy = Text(reader, from + 22),
        ResolvedAt = Time(reader, from + 23),
        ResolutionReason = Text(reader, from + 24),
    };

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
