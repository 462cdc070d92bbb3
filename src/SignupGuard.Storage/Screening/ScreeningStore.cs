using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.Storage.Screening;

/// <summary>
/// Steps 5 to 8 of the way of one signup: a batch of them in one transaction.
/// <para>
/// A tenant's batches are serial: the first statement locks the tenant's lane row until the commit. So every signup sees all before it,
/// on whatever replica; ordinals are in commit order; nothing can deadlock; and the counters are folded by the core's own code, which
/// backtests share, not by a second arithmetic in SQL. A batch takes three round trips: lock and read, write, commit.
/// </para>
/// </summary>
public sealed class ScreeningStore(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Screens a batch. Results are in the batch's order. Throws what Npgsql throws; then nothing of the batch is stored.</summary>
    public async Task<ScreeningResult[]> ScreenAsync(IReadOnlyList<PreparedSignup> batch, Policy policy, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var read = await ReadAsync(connection, batch, cancellation);
        var now = clock.GetUtcNow();

        var results = new ScreeningResult[batch.Count];
        var fresh = new List<(PreparedSignup Signup, StoredDecision Decision)>(batch.Count);
        var decidedHere = new Dictionary<(string Tenant, string SignupId), (byte[] Hash, StoredDecision Decision)>();
        foreach (var index in Order(batch))
        {
            var prepared = batch[index];
            var id = (prepared.Tenant, prepared.Signup.SignupId);
            if (read.Known.TryGetValue(id, out var known) || decidedHere.TryGetValue(id, out known))
            {
                results[index] = known.Hash.AsSpan().SequenceEqual(prepared.ContentHash)
                    ? new ScreeningResult.Decided(known.Decision, Replayed: true)
                    : new ScreeningResult.IdReused();
                continue;
            }
            var ordinal = read.Lanes[prepared.Tenant]++;
            read.SignupIds[(prepared.Tenant, ordinal)] = prepared.Signup.SignupId;
            var links = Linker.Link(read.Keys, prepared.Keys, prepared.Account, ordinal, prepared.Signup.OccurredAt.ToUnixTimeMilliseconds());
            var judgement = policy.Judge(new Facts(prepared.Signup, prepared.Signals, links));
            var decision = Decide(prepared, policy, judgement, links, ordinal, now);
            fresh.Add((prepared, decision));
            decidedHere[id] = (prepared.ContentHash, decision);
            results[index] = new ScreeningResult.Decided(decision, Replayed: false);
        }
        if (fresh.Count > 0)
        {
            await NameSamplesAsync(connection, fresh, read.SignupIds, cancellation);
            await WriteAsync(connection, read, fresh, now, cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return results;
    }

    /// <summary>Signups of one batch link in the order they occurred; ties keep the order of arrival.</summary>
    private static IEnumerable<int> Order(IReadOnlyList<PreparedSignup> batch) =>
        Enumerable.Range(0, batch.Count).OrderBy(index => batch[index].Signup.OccurredAt).ThenBy(index => index);

    private sealed record BatchState(
        Dictionary<string, long> Lanes,
        Dictionary<(string Tenant, string SignupId), (byte[] Hash, StoredDecision Decision)> Known,
        KeyTable Keys,
        Dictionary<(string Tenant, long Ordinal), string> SignupIds);

    private static async Task<BatchState> ReadAsync(NpgsqlConnection connection, IReadOnlyList<PreparedSignup> batch, CancellationToken cancellation)
    {
        var tenants = batch.Select(signup => signup.Tenant).Distinct().Order(StringComparer.Ordinal).ToArray();
        var keys = batch.SelectMany(signup => signup.Keys).Select(key => key.Key.ToGuid()).Distinct().Order().ToArray();
        await using var command = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // Locks the lanes in one order over all replicas. Under READ COMMITTED each later statement sees all that was committed before.
                new NpgsqlBatchCommand(
                    """
                    INSERT INTO lanes AS lane (tenant, next_ordinal) SELECT unnest($1), 1
                    ON CONFLICT (tenant) DO UPDATE SET next_ordinal = lane.next_ordinal
                    RETURNING tenant, next_ordinal
                    """)
                { Parameters = { Parameter(tenants) } },
                new NpgsqlBatchCommand(
                    $"""
                    SELECT s.tenant, s.content_hash, {DecisionColumns}
                    FROM unnest($1, $2) AS asked (tenant, signup_id)
                    JOIN signup_ids s USING (tenant, signup_id)
                    JOIN LATERAL (SELECT * FROM decisions d WHERE d.tenant = s.tenant AND d.ordinal = s.ordinal ORDER BY d.revision DESC LIMIT 1) d ON true
                    """)
                { Parameters = { Parameter(batch.Select(signup => signup.Tenant).ToArray()), Parameter(batch.Select(signup => signup.Signup.SignupId).ToArray()) } },
                new NpgsqlBatchCommand("SELECT key, state FROM link_keys WHERE key = ANY($1)") { Parameters = { Parameter(keys) } },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var lanes = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation)) lanes.Add(reader.GetString(0), reader.GetInt64(1));
        await reader.NextResultAsync(cancellation);
        var known = new Dictionary<(string, string), (byte[], StoredDecision)>();
        while (await reader.ReadAsync(cancellation))
        {
            var decision = ReadDecision(reader, 2);
            known[(reader.GetString(0), decision.SignupId)] = (reader.GetFieldValue<byte[]>(1), decision);
        }
        await reader.NextResultAsync(cancellation);
        var table = new KeyTable();
        while (await reader.ReadAsync(cancellation)) table.Load(LinkKey.From(reader.GetGuid(0)), KeyState.Decode(reader.GetFieldValue<byte[]>(1)));
        return new BatchState(lanes, known, table, []);
    }

    /// <summary>Evidence names earlier signups by the caller's ids; those outside the batch are looked up once for all.</summary>
    private static async Task NameSamplesAsync(
        NpgsqlConnection connection,
        List<(PreparedSignup Signup, StoredDecision Decision)> fresh,
        Dictionary<(string Tenant, long Ordinal), string> names,
        CancellationToken cancellation)
    {
        var wanted = fresh
            .SelectMany(item => item.Decision.Body.Reasons.SelectMany(reason => reason.Path).SelectMany(step => step.SignupIds)
                .Select(id => (item.Signup.Tenant, Ordinal: long.Parse(id, System.Globalization.CultureInfo.InvariantCulture))))
            .Where(key => !names.ContainsKey(key))
            .Distinct()
            .ToArray();
        if (wanted.Length > 0)
        {
            await using var command = new NpgsqlCommand(
                "SELECT s.tenant, s.ordinal, s.signup_id FROM unnest($1, $2) AS asked (tenant, ordinal) JOIN signup_ids s USING (tenant, ordinal)",
                connection)
            {
                Parameters = { Parameter(wanted.Select(key => key.Tenant).ToArray()), Parameter(wanted.Select(key => key.Ordinal).ToArray()) },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) names[(reader.GetString(0), reader.GetInt64(1))] = reader.GetString(2);
        }
        foreach (var (signup, decision) in fresh)
        {
            foreach (var step in decision.Body.Reasons.SelectMany(reason => reason.Path))
            {
                var ids = (List<string>)step.SignupIds;
                for (var i = ids.Count - 1; i >= 0; i--)
                {
                    // A signup past its retention has no name any more.
                    if (names.TryGetValue((signup.Tenant, long.Parse(ids[i], System.Globalization.CultureInfo.InvariantCulture)), out var name)) ids[i] = name;
                    else ids.RemoveAt(i);
                }
            }
        }
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection,
        BatchState state,
        List<(PreparedSignup Signup, StoredDecision Decision)> fresh,
        DateTimeOffset now,
        CancellationToken cancellation)
    {
        var kinds = new Dictionary<LinkKey, short>();
        foreach (var key in fresh.SelectMany(item => item.Signup.Keys)) kinds[key.Key] = key.Rule.Kind.Code;
        var changed = state.Keys.Changed.OrderBy(key => key.Hash).ToArray();
        var tenants = fresh.Select(item => item.Signup.Tenant).ToArray();
        var ordinals = fresh.Select(item => item.Decision.Ordinal).ToArray();
        var ids = fresh.Select(item => item.Decision.SignupId).ToArray();
        await using var command = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    """
                    INSERT INTO link_keys (key, kind, last_seen, state) SELECT * FROM unnest($1, $2, $3, $4)
                    ON CONFLICT (key) DO UPDATE SET last_seen = EXCLUDED.last_seen, state = EXCLUDED.state
                    """)
                {
                    Parameters =
                    {
                        Parameter(changed.Select(key => key.ToGuid()).ToArray()),
                        Parameter(changed.Select(key => kinds[key]).ToArray()),
                        Parameter(changed.Select(key => DateTimeOffset.FromUnixTimeMilliseconds(state.Keys[key].LastSeenMs)).ToArray()),
                        Parameter(changed.Select(key => state.Keys[key].Encode()).ToArray()),
                    },
                },
                new NpgsqlBatchCommand("INSERT INTO signup_ids (tenant, signup_id, ordinal, content_hash) SELECT * FROM unnest($1, $2, $3, $4)")
                {
                    Parameters = { Parameter(tenants), Parameter(ids), Parameter(ordinals), Parameter(fresh.Select(item => item.Signup.ContentHash).ToArray()) },
                },
                new NpgsqlBatchCommand("INSERT INTO signups (tenant, ordinal, recorded_at, occurred_at, account, facts) SELECT t, o, $3, at, account, facts FROM unnest($1, $2, $4, $5, $6) AS u (t, o, at, account, facts)")
                {
                    Parameters =
                    {
                        Parameter(tenants),
                        Parameter(ordinals),
                        new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
                        Parameter(fresh.Select(item => item.Signup.Signup.OccurredAt.ToUniversalTime()).ToArray()),
                        Parameter(fresh.Select(item => item.Signup.Account).ToArray()),
                        Parameter(fresh.Select(item => item.Signup.Facts).ToArray()),
                    },
                },
                InsertDecisions(fresh.Select(item => (item.Signup.Tenant, item.Decision)).ToList()),
                new NpgsqlBatchCommand("UPDATE lanes SET next_ordinal = u.next FROM unnest($1, $2) AS u (tenant, next) WHERE lanes.tenant = u.tenant")
                {
                    Parameters = { Parameter(state.Lanes.Keys.ToArray()), Parameter(state.Lanes.Values.ToArray()) },
                },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static NpgsqlBatchCommand InsertDecisions(List<(string Tenant, StoredDecision Decision)> decisions) =>
        new(
            """
            INSERT INTO decisions (tenant, ordinal, revision, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """)
        {
            Parameters =
            {
                Parameter(decisions.ConvertAll(item => item.Tenant).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.Ordinal).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.Revision).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.DecidedAt).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.DecisionId).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.SignupId).ToArray()),
                Parameter(decisions.ConvertAll(item => (short)item.Decision.Body.Verdict).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.Body.Score).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.PolicyVersion).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.OutwardCode).ToArray()),
                Parameter(decisions.ConvertAll(item => item.Decision.Cause).ToArray()),
                new NpgsqlParameter
                {
                    Value = decisions.ConvertAll(item => JsonSerializer.Serialize(item.Decision.Body, StorageJson.Default.DecisionBody)).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
                },
            },
        };

    private static StoredDecision Decide(PreparedSignup prepared, Policy policy, Judgement judgement, IReadOnlyList<Link> links, long ordinal, DateTimeOffset now)
    {
        var signals = prepared.Signals;
        return new StoredDecision
        {
            DecisionId = Guid.CreateVersion7(now),
            SignupId = prepared.Signup.SignupId,
            Ordinal = ordinal,
            Revision = 1,
            PolicyVersion = policy.Version,
            DecidedAt = now,
            OutwardCode = OutwardCode.Create(),
            Cause = "screened",
            Body = new DecisionBody
            {
                Verdict = judgement.Verdict,
                Score = judgement.Score,
                Reasons = [.. judgement.Reasons.Select(reason => new StoredReason(
                    reason.Code,
                    reason.Text,
                    reason.Contribution,
                    [.. reason.Path.Select(step => new StoredStep(
                        step.Kind.ToString(),
                        step.Key.ToString(),
                        step.Accounts,
                        step.Strength,
                        step.ConfirmedBad,
                        step.Samples.Select(sample => sample.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToList()))]))],
                Labels = judgement.Labels,
                Obligations = judgement.Obligations,
                Undecided = judgement.Undecided,
                Completeness =
                [
                    new StoredSignalGroup("email", signals.Email.State, signals.Email.Detail),
                    new StoredSignalGroup("phone", signals.Phone.State, signals.Phone.Detail),
                    new StoredSignalGroup("ip", signals.Ip.State, signals.Ip.Detail),
                    new StoredSignalGroup("device", signals.Device.State, signals.Device.Detail),
                    new StoredSignalGroup("payment", signals.Payment.State, signals.Payment.Detail),
                    new StoredSignalGroup("links", links.Count > 0 ? Core.Signals.SignalState.Present : Core.Signals.SignalState.Missing, links.Count > 0 ? null : "NO_KEYS"),
                ],
                Links = [.. links.Select(link => new StoredLink(link.Kind.ToString(), link.Accounts, link.TenMinutes, link.Hour, link.Day, link.Earlier, link.Evidence, link.ConfirmedBad))],
            },
        };
    }

    internal const string DecisionColumns = "d.decision_id, d.signup_id, d.ordinal, d.revision, d.policy_version, d.decided_at, d.outward_code, d.cause, d.body::text";

    /// <summary>Reads <see cref="DecisionColumns"/> from a column on.</summary>
    internal static StoredDecision ReadDecision(NpgsqlDataReader reader, int from) => new()
    {
        DecisionId = reader.GetGuid(from),
        SignupId = reader.GetString(from + 1),
        Ordinal = reader.GetInt64(from + 2),
        Revision = reader.GetInt32(from + 3),
        PolicyVersion = reader.GetInt64(from + 4),
        DecidedAt = reader.GetFieldValue<DateTimeOffset>(from + 5),
        OutwardCode = reader.GetString(from + 6),
        Cause = reader.GetString(from + 7),
        Body = JsonSerializer.Deserialize(reader.GetString(from + 8), StorageJson.Default.DecisionBody)
            ?? throw new InvalidDataException("A stored decision is empty."),
    };

    private static NpgsqlParameter<T[]> Parameter<T>(T[] values) => new() { TypedValue = values };
}
