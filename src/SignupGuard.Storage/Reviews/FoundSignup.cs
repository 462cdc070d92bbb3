using System.Text.Json;
using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>A signup as a list shows it, by the decision in force.</summary>
public sealed record FoundSignup
{
    public required long Ordinal { get; init; }

    public required string SignupId { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    public required int Revision { get; init; }

    public required Verdict Verdict { get; init; }

    public required double Score { get; init; }

    public required long PolicyVersion { get; init; }

    public required DateTimeOffset DecidedAt { get; init; }

    /// <summary>Strongest first.</summary>
    public required IReadOnlyList<string> ReasonCodes { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The network it is in now.</summary>
    public required long? Cluster { get; init; }

    public required Label Label { get; init; }

    /// <summary>Null when it was never flagged.</summary>
    public required StoredCase? Case { get; init; }

    /// <summary>As its case remembers it; null also for what was never flagged: its facts know.</summary>
    public required string? Country { get; init; }

    public required string? NetworkClass { get; init; }

    public required string? Channel { get; init; }

    public required string? Product { get; init; }
}

/// <summary>The statement that reads signups as lists show them: its columns beside their reader.</summary>
internal static class FoundSignupRow
{
    private const string Columns =
        $"""
        i.ordinal, i.signup_id, i.recorded_at, d.revision, d.verdict, d.score, d.policy_version, d.decided_at, jsonb_path_query_array(d.body, '$.reasons[*].code')::text,
        (d.body->'labels')::text, m.cluster, l.label, s.country, s.network_class, s.channel, s.product, {CaseRow.Columns}
        """;

    private const int CaseFrom = 16;

    public const int ColumnCount = CaseFrom + CaseRow.ColumnCount;

    /// <summary>For a source of signups aliased <c>i</c>, where $1 is the tenant. Whatever the statistics say, each is looked up by its own keys: a search that stops early has read little.</summary>
    /// <param name="from">A table or subquery with tenant, ordinal, signup_id and recorded_at.</param>
    public static string Select(string from, string more = "") =>
        $"""
        SELECT {Columns}{more}
        FROM {from} i
        LEFT JOIN {DecisionRow.Latest("d.revision, d.verdict, d.score, d.policy_version, d.decided_at, d.body", "i")} ON true
        LEFT JOIN LATERAL (SELECT m.cluster FROM cluster_members m WHERE m.tenant = $1 AND m.ordinal = i.ordinal LIMIT 1) m ON true
        LEFT JOIN LATERAL (SELECT l.label FROM labels l WHERE l.tenant = $1 AND l.ordinal = i.ordinal LIMIT 1) l ON true
        LEFT JOIN LATERAL (SELECT s.case_id, s.country, s.network_class, s.channel, s.product FROM case_signups s WHERE s.tenant = $1 AND s.ordinal = i.ordinal LIMIT 1) s ON true
        LEFT JOIN LATERAL (SELECT c.* FROM cases c WHERE c.tenant = $1 AND c.id = s.case_id LIMIT 1) c ON true
        """;

    /// <returns>Null for a signup past its retention, of which no decision is kept.</returns>
    public static FoundSignup? Read(NpgsqlDataReader reader) => reader.IsDBNull(3) ? null : new FoundSignup
    {
        Ordinal = reader.GetInt64(0),
        SignupId = reader.GetString(1),
        RecordedAt = reader.GetFieldValue<DateTimeOffset>(2),
        Revision = reader.GetInt32(3),
        Verdict = (Verdict)reader.GetInt16(4),
        Score = reader.GetDouble(5),
        PolicyVersion = reader.GetInt64(6),
        DecidedAt = reader.GetFieldValue<DateTimeOffset>(7),
        ReasonCodes = [.. Texts(reader, 8).Distinct()],
        Labels = Texts(reader, 9),
        Cluster = reader.IsDBNull(10) ? null : reader.GetInt64(10),
        Label = reader.IsDBNull(11) ? Label.None : (Label)reader.GetInt16(11),
        Country = Text(reader, 12),
        NetworkClass = Text(reader, 13),
        Channel = Text(reader, 14),
        Product = Text(reader, 15),
        Case = reader.IsDBNull(CaseFrom) ? null : CaseRow.Read(reader, CaseFrom),
    };

    private static string[] Texts(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? [] : JsonSerializer.Deserialize<string[]>(reader.GetString(column)) ?? [];

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
