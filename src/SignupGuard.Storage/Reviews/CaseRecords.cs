using Npgsql;
using SignupGuard.Core.Decisions;

namespace SignupGuard.Storage.Reviews;

/// <summary>Where a case stands; the numbers are stored.</summary>
public enum CaseState : short
{
    Open = 1,
    Escalated = 2,
    Resolved = 3,
    Denied = 4,
}

/// <summary>What a person decided; the numbers are stored.</summary>
public enum CaseResolution : short
{
    Allow = 1,
    Deny = 2,
}

/// <summary>A case as stored, without its notes and events.</summary>
public sealed record StoredCase
{
    public required Guid Id { get; init; }

    public required CaseState State { get; init; }

    /// <summary>Rises with every change.</summary>
    public required long Revision { get; init; }

    /// <summary>Of the signup with the highest score.</summary>
    public required long Ordinal { get; init; }

    public required string SignupId { get; init; }

    /// <summary>Null for the case of one account.</summary>
    public required long? Cluster { get; init; }

    public required long Signups { get; init; }

    public required Verdict Verdict { get; init; }

    public required double Score { get; init; }

    public required int Priority { get; init; }

    public required bool Appealed { get; init; }

    public required IReadOnlyList<string> ReasonCodes { get; init; }

    public required IReadOnlyList<string> Labels { get; init; }

    public required string? Country { get; init; }

    public required string? NetworkClass { get; init; }

    public required string? Channel { get; init; }

    public required string? Product { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>As stored: the lease may have run out.</summary>
    public required string? ClaimedBy { get; init; }

    public required DateTimeOffset? ClaimedUntil { get; init; }

    public required CaseResolution? Resolution { get; init; }

    public required string? ResolvedBy { get; init; }

    public required DateTimeOffset? ResolvedAt { get; init; }

    public required string? ResolutionReason { get; init; }

    /// <summary>The case this one was folded into; its own row says no more then.</summary>
    public required Guid? MergedInto { get; init; }

    /// <summary>Who holds it at a time; null when nobody does.</summary>
    public string? HolderAt(DateTimeOffset now) => ClaimedUntil > now ? ClaimedBy : null;
}

/// <summary>One row of <c>cases</c>: its columns beside their reader.</summary>
internal static class CaseRow
{
    /// <summary>For a table aliased <c>c</c>.</summary>
    public const string Columns =
        """
        c.id, c.state, c.revision, c.ordinal, c.signup_id, c.cluster, c.signups, c.verdict, c.score, c.priority, c.appealed, c.reason_codes, c.labels,
        c.country, c.network_class, c.channel, c.product, c.opened_at, c.updated_at, c.claimed_by, c.claimed_until, c.resolution, c.resolved_by, c.resolved_at,
        c.resolution_reason, c.merged_into
        """;

    public static StoredCase Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        State = (CaseState)reader.GetInt16(1),
        Revision = reader.GetInt64(2),
        Ordinal = reader.GetInt64(3),
        SignupId = reader.GetString(4),
        Cluster = reader.IsDBNull(5) ? null : reader.GetInt64(5),
        Signups = reader.GetInt64(6),
        Verdict = (Verdict)reader.GetInt16(7),
        Score = reader.GetDouble(8),
        Priority = reader.GetInt32(9),
        Appealed = reader.GetBoolean(10),
        ReasonCodes = reader.GetFieldValue<string[]>(11),
        Labels = reader.GetFieldValue<string[]>(12),
        Country = Text(reader, 13),
        NetworkClass = Text(reader, 14),
        Channel = Text(reader, 15),
        Product = Text(reader, 16),
        OpenedAt = reader.GetFieldValue<DateTimeOffset>(17),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(18),
        ClaimedBy = Text(reader, 19),
        ClaimedUntil = Time(reader, 20),
        Resolution = reader.IsDBNull(21) ? null : (CaseResolution)reader.GetInt16(21),
        ResolvedBy = Text(reader, 22),
        ResolvedAt = Time(reader, 23),
        ResolutionReason = Text(reader, 24),
        MergedInto = reader.IsDBNull(25) ? null : reader.GetGuid(25),
    };

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
