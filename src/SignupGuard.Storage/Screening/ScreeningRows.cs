using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace SignupGuard.Storage.Screening;

/// <summary>The rows of new decisions, column by column.</summary>
public sealed class DecisionColumns
{
    public List<string> Tenants { get; } = [];

    public List<long> Ordinals { get; } = [];

    public List<int> Revisions { get; } = [];

    public List<DateTimeOffset> RecordedAt { get; } = [];

    public List<DateTimeOffset> DecidedAt { get; } = [];

    public List<Guid> DecisionIds { get; } = [];

    public List<string> SignupIds { get; } = [];

    public List<short> Verdicts { get; } = [];

    public List<double> Scores { get; } = [];

    public List<long> PolicyVersions { get; } = [];

    public List<string> OutwardCodes { get; } = [];

    public List<string> Causes { get; } = [];

    /// <summary>JSON.</summary>
    public List<string> Bodies { get; } = [];

    public List<byte[]?> Facts { get; } = [];

    public void Add(string tenant, StoredDecision decision)
    {
        Tenants.Add(tenant);
        Ordinals.Add(decision.Ordinal);
        Revisions.Add(decision.Revision);
        RecordedAt.Add(decision.RecordedAt.ToUniversalTime());
        DecidedAt.Add(decision.DecidedAt.ToUniversalTime());
        DecisionIds.Add(decision.DecisionId);
        SignupIds.Add(decision.SignupId);
        Verdicts.Add((short)decision.Body.Verdict);
        Scores.Add(decision.Body.Score);
        PolicyVersions.Add(decision.PolicyVersion);
        OutwardCodes.Add(decision.OutwardCode);
        Causes.Add(decision.Cause);
        Bodies.Add(JsonSerializer.Serialize(decision.Body, StorageJson.Default.DecisionBody));
        Facts.Add(decision.Facts);
    }

    internal NpgsqlBatchCommand Insert() => new(ScreeningSql.WriteDecisions)
    {
        Parameters =
        {
            Sql.Array(Tenants),
            Sql.Array(Ordinals),
            Sql.Array(Revisions),
            Sql.Array(RecordedAt),
            Sql.Array(DecidedAt),
            Sql.Array(DecisionIds),
            Sql.Array(SignupIds),
            Sql.Array(Verdicts),
            Sql.Array(Scores),
            Sql.Array(PolicyVersions),
            Sql.Array(OutwardCodes),
            Sql.Array(Causes),
            new NpgsqlParameter<List<string>> { TypedValue = Bodies, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
            new NpgsqlParameter<List<byte[]?>> { TypedValue = Facts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
        },
    };
}

/// <summary>All rows that a batch of signups writes, column by column. The signups' own columns are in step with those of their decisions.</summary>
public sealed class ScreeningRows
{
    public List<Guid> Keys { get; } = [];

    public List<short> KeyKinds { get; } = [];

    public List<DateTimeOffset> KeysLastSeen { get; } = [];

    public List<byte[]> KeyStates { get; } = [];

    public List<byte[]> ContentHashes { get; } = [];

    public List<DateTimeOffset> OccurredAt { get; } = [];

    public List<long> Accounts { get; } = [];

    public List<byte[]> SignupFacts { get; } = [];

    public DecisionColumns Decisions { get; } = new();

    public List<string> LaneTenants { get; } = [];

    public List<long> LaneNextOrdinals { get; } = [];

    public List<byte[]> LaneStates { get; } = [];

    public List<string> TieTenants { get; } = [];

    public List<long> TieOrdinals { get; } = [];

    public List<byte[]> Ties { get; } = [];

    /// <summary>Writes all rows and commits, in one round trip. The transaction is the connection's, begun before.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, DateTimeOffset recordedAt, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(ScreeningSql.WriteKeys) { Parameters = { Sql.Array(Keys), Sql.Array(KeyKinds), Sql.Array(KeysLastSeen), Sql.Array(KeyStates) } },
                new NpgsqlBatchCommand(ScreeningSql.WriteSignupIds)
                {
                    Parameters = { Sql.Array(Decisions.Tenants), Sql.Array(Decisions.SignupIds), Sql.Array(Decisions.Ordinals), Sql.Array(ContentHashes), Sql.Value(recordedAt) },
                },
                new NpgsqlBatchCommand(ScreeningSql.WriteSignups)
                {
                    Parameters = { Sql.Array(Decisions.Tenants), Sql.Array(Decisions.Ordinals), Sql.Array(OccurredAt), Sql.Array(Accounts), Sql.Array(SignupFacts), Sql.Value(recordedAt) },
                },
                Decisions.Insert(),
                new NpgsqlBatchCommand(ScreeningSql.WriteLanes) { Parameters = { Sql.Array(LaneTenants), Sql.Array(LaneNextOrdinals), Sql.Array(LaneStates) } },
            },
        };
        if (Ties.Count > 0)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ScreeningSql.WriteLinkEvents) { Parameters = { Sql.Array(TieTenants), Sql.Array(TieOrdinals), Sql.Array(Ties) } });
        // An error before it keeps it from running: the server skips what follows one in a round trip.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}

/// <summary>What a batch of signups asks for before it is decided.</summary>
public sealed class ScreeningQuestion
{
    /// <summary>Distinct, in one order over all replicas.</summary>
    public List<string> LaneTenants { get; } = [];

    /// <summary>Distinct.</summary>
    public List<Guid> Keys { get; } = [];

    /// <summary>By signup.</summary>
    public List<string> Tenants { get; } = [];

    /// <summary>By signup.</summary>
    public List<string> SignupIds { get; } = [];

    /// <summary>Begins a transaction, locks the lanes and reads: four results (lanes, signups known, keys, clusters) in one round trip.</summary>
    public NpgsqlBatch Begin(NpgsqlConnection connection) => new(connection)
    {
        BatchCommands =
        {
            new NpgsqlBatchCommand("BEGIN"),
            new NpgsqlBatchCommand(ScreeningSql.LockLanes) { Parameters = { Sql.Array(LaneTenants) } },
            new NpgsqlBatchCommand(ScreeningSql.FindKnown) { Parameters = { Sql.Array(Tenants), Sql.Array(SignupIds) } },
            new NpgsqlBatchCommand(ScreeningSql.ReadKeys) { Parameters = { Sql.Array(Keys) } },
            new NpgsqlBatchCommand(ScreeningSql.ReadClusters) { Parameters = { Sql.Array(Keys), Sql.Array(LaneTenants) } },
        },
    };
}
