using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;

namespace SignupGuard.Storage.Screening;

/// <summary>
/// Steps 5 to 8 of the way of one signup: a batch of them in one transaction.
/// <para>
/// A tenant's batches are serial: the first statement locks the tenant's lane row until the commit. So every signup sees all before it,
/// on whatever replica; ordinals are in commit order; nothing can deadlock; and the counters are folded by the core's own code, which
/// backtests share, not by a second arithmetic in SQL. A batch takes two round trips: begin, lock and read; write and commit.
/// </para>
/// </summary>
public sealed class ScreeningStore(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Earlier signups named as examples in a step of evidence.</summary>
    private const int SamplesMax = 5;

    /// <summary>Screens a batch. Results are in the batch's order. Throws what Npgsql throws; then nothing of the batch is stored.</summary>
    public async Task<ScreeningResult[]> ScreenAsync(IReadOnlyList<PreparedSignup> batch, Policy policy, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var read = await ReadAsync(connection, batch, cancellation);
        // As the database keeps it, so that the answer is what a repeat of the signup gets.
        var now = Sql.Stored(clock.GetUtcNow());

        var screener = new Screener(policy);
        var results = new ScreeningResult[batch.Count];
        var fresh = new List<Screened>(batch.Count);
        var decidedHere = new Dictionary<(string Tenant, string SignupId), (byte[] Hash, StoredDecision Decision)>();
        foreach (var index in Order(batch))
        {
            var prepared = batch[index];
            var signupId = (prepared.Tenant, prepared.SignupId);
            if (read.Known.TryGetValue(signupId, out var known) || decidedHere.TryGetValue(signupId, out known))
            {
                results[index] = known.Hash.AsSpan().SequenceEqual(prepared.ContentHash)
                    ? new ScreeningResult.Decided(known.Decision, Replayed: true)
                    : new ScreeningResult.IdReused();
                continue;
            }
            var lane = read.Lanes[prepared.Tenant];
            var ordinal = lane.NextOrdinal++;
            read.SignupIds[(prepared.Tenant, ordinal)] = prepared.SignupId;
            var judgement = screener.Screen(read.Keys, lane.State, prepared.Linkable, ordinal, id => read.Clusters.GetValueOrDefault((prepared.Tenant, id)));
            var decision = Decide(prepared, policy, judgement, screener, read.Keys, ordinal, now);
            fresh.Add(new Screened(prepared, decision, screener.Ties(read.Keys, ordinal)));
            decidedHere[signupId] = (prepared.ContentHash, decision);
            results[index] = new ScreeningResult.Decided(decision, Replayed: false);
        }
        if (fresh.Count > 0)
        {
            await NameSamplesAsync(connection, fresh.ConvertAll(item => (item.Signup.Tenant, item.Decision)), read.SignupIds, cancellation);
            await WriteAsync(connection, policy.Linkage.Rules, read, fresh, now, cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return results;
    }

    /// <summary>Signups of one batch link in the order they occurred; ties keep the order of arrival.</summary>
    private static IEnumerable<int> Order(IReadOnlyList<PreparedSignup> batch) =>
        Enumerable.Range(0, batch.Count).OrderBy(index => batch[index].Linkable.AtMs).ThenBy(index => index);

    private sealed record Screened(PreparedSignup Signup, StoredDecision Decision, List<KeyTie> Ties);

    private sealed record Lane(LaneState State)
    {
        public required long NextOrdinal { get; set; }
    }

    private sealed record BatchState(
        Dictionary<string, Lane> Lanes,
        Dictionary<(string Tenant, string SignupId), (byte[] Hash, StoredDecision Decision)> Known,
        KeyTable Keys,
        Dictionary<(string Tenant, long Id), ClusterFacts> Clusters,
        Dictionary<(string Tenant, long Ordinal), string> SignupIds);

    private static async Task<BatchState> ReadAsync(NpgsqlConnection connection, IReadOnlyList<PreparedSignup> batch, CancellationToken cancellation)
    {
        var tenants = batch.Select(signup => signup.Tenant).Distinct().Order(StringComparer.Ordinal).ToArray();
        var keys = batch.SelectMany(signup => signup.Linkable.Keys.Present).Distinct().Select(key => key.ToGuid()).Order().ToArray();
        await using var command = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // Locks the lanes in one order over all replicas. Under READ COMMITTED each later statement sees all that was committed before.
                new NpgsqlBatchCommand(
                    """
                    INSERT INTO lanes AS lane (tenant, next_ordinal) SELECT unnest($1), 1
                    ON CONFLICT (tenant) DO UPDATE SET next_ordinal = lane.next_ordinal
                    RETURNING tenant, next_ordinal, state
                    """)
                {
                    Parameters = { Sql.Array(tenants) },
                },
                new NpgsqlBatchCommand(
                    $"""
                    SELECT s.tenant, s.content_hash, {DecisionRow.Columns}
                    FROM unnest($1, $2) AS asked (tenant, signup_id)
                    JOIN signup_ids s USING (tenant, signup_id)
                    JOIN LATERAL (
                        SELECT * FROM decisions d WHERE d.tenant = s.tenant AND d.ordinal = s.ordinal AND d.recorded_at = s.recorded_at
                        ORDER BY d.revision DESC LIMIT 1) d ON true
                    """)
                {
                    Parameters = { Sql.Array(batch.Select(signup => signup.Tenant).ToArray()), Sql.Array(batch.Select(signup => signup.SignupId).ToArray()) },
                },
                new NpgsqlBatchCommand($"SELECT {LinkageReader.KeyColumns} FROM link_keys WHERE key = ANY($1)") { Parameters = { Sql.Array(keys) } },
                new NpgsqlBatchCommand(
                    $"SELECT {ClusterRow.Columns}, c.tenant FROM clusters c WHERE c.id IN (SELECT cluster FROM link_keys WHERE key = ANY($1) AND cluster IS NOT NULL) AND c.tenant = ANY($2)")
                {
                    Parameters = { Sql.Array(keys), Sql.Array(tenants) },
                },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var lanes = new Dictionary<string, Lane>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            var state = await reader.IsDBNullAsync(2, cancellation) ? new LaneState() : StateCodec.DecodeLane(reader.GetFieldValue<byte[]>(2));
            lanes.Add(reader.GetString(0), new Lane(state) { NextOrdinal = reader.GetInt64(1) });
        }
        await reader.NextResultAsync(cancellation);
        var known = new Dictionary<(string, string), (byte[], StoredDecision)>();
        while (await reader.ReadAsync(cancellation))
        {
            var decision = DecisionRow.Read(reader, 2);
            known[(reader.GetString(0), decision.SignupId)] = (reader.GetFieldValue<byte[]>(1), decision);
        }
        await reader.NextResultAsync(cancellation);
        var table = new KeyTable();
        while (await reader.ReadAsync(cancellation)) LinkageReader.Load(table, reader);
        await reader.NextResultAsync(cancellation);
        var clusters = new Dictionary<(string, long), ClusterFacts>();
        while (await reader.ReadAsync(cancellation))
        {
            var (facts, _) = ClusterRow.Read(reader);
            clusters[(reader.GetString(ClusterRow.ColumnCount), facts.Id)] = facts;
        }
        return new BatchState(lanes, known, table, clusters, []);
    }

    /// <summary>Evidence names earlier signups by the caller's ids; those outside the batch are looked up once for all.</summary>
    internal static async Task NameSamplesAsync(
        NpgsqlConnection connection,
        List<(string Tenant, StoredDecision Decision)> decisions,
        Dictionary<(string Tenant, long Ordinal), string> names,
        CancellationToken cancellation)
    {
        static IEnumerable<List<string>> SampleLists(StoredDecision decision) =>
            decision.Body.Reasons.Select(reason => reason.Evidence?.SignupIds).OfType<List<string>>();
        var wanted = decisions
            .SelectMany(item => SampleLists(item.Decision).SelectMany(ids => ids).Select(id => (item.Tenant, Ordinal: long.Parse(id, Sql.Invariant))))
            .Where(key => !names.ContainsKey(key))
            .Distinct()
            .ToArray();
        if (wanted.Length > 0)
        {
            await using var command = new NpgsqlCommand(
                "SELECT s.tenant, s.ordinal, s.signup_id FROM unnest($1, $2) AS asked (tenant, ordinal) JOIN signup_ids s USING (tenant, ordinal)",
                connection)
            {
                Parameters = { Sql.Array(wanted.Select(key => key.Tenant).ToArray()), Sql.Array(wanted.Select(key => key.Ordinal).ToArray()) },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) names[(reader.GetString(0), reader.GetInt64(1))] = reader.GetString(2);
        }
        foreach (var (tenant, decision) in decisions)
        {
            foreach (var ids in SampleLists(decision))
            {
                for (var i = ids.Count - 1; i >= 0; i--)
                {
                    // A signup past its retention has no name any more.
                    if (names.TryGetValue((tenant, long.Parse(ids[i], Sql.Invariant)), out var name)) ids[i] = name;
                    else ids.RemoveAt(i);
                }
            }
        }
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<LinkageRule> rules,
        BatchState state,
        List<Screened> fresh,
        DateTimeOffset now,
        CancellationToken cancellation)
    {
        var kinds = new Dictionary<LinkKey, short>();
        foreach (var item in fresh)
        {
            var keys = item.Signup.Linkable.Keys.Keys;
            foreach (var rule in rules)
            {
                if (!keys[rule.Index].IsNone) kinds[keys[rule.Index]] = rule.Kind.Code;
            }
        }
        var changed = state.Keys.Changed.OrderBy(key => key.Hash).ToArray();
        var tenants = fresh.ConvertAll(item => item.Signup.Tenant).ToArray();
        var ordinals = fresh.ConvertAll(item => item.Decision.Ordinal).ToArray();
        var tied = fresh.Where(item => item.Ties.Count > 0).ToList();
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
                        Sql.Array(changed.Select(key => key.ToGuid()).ToArray()),
                        Sql.Array(changed.Select(key => kinds[key]).ToArray()),
                        Sql.Array(changed.Select(key => DateTimeOffset.FromUnixTimeMilliseconds(state.Keys.Look(key).LastSeenMs)).ToArray()),
                        Sql.Array(changed.Select(key => StateCodec.Encode(state.Keys.Look(key))).ToArray()),
                    },
                },
                new NpgsqlBatchCommand("INSERT INTO signup_ids (tenant, signup_id, ordinal, recorded_at, content_hash) SELECT t, i, o, $5, h FROM unnest($1, $2, $3, $4) AS u (t, i, o, h)")
                {
                    Parameters =
                    {
                        Sql.Array(tenants),
                        Sql.Array(fresh.ConvertAll(item => item.Signup.SignupId).ToArray()),
                        Sql.Array(ordinals),
                        Sql.Array(fresh.ConvertAll(item => item.Signup.ContentHash).ToArray()),
                        Sql.Value(now),
                    },
                },
                new NpgsqlBatchCommand(
                    "INSERT INTO signups (tenant, ordinal, recorded_at, occurred_at, account, facts) SELECT t, o, $6, at, account, facts FROM unnest($1, $2, $3, $4, $5) AS u (t, o, at, account, facts)")
                {
                    Parameters =
                    {
                        Sql.Array(tenants),
                        Sql.Array(ordinals),
                        Sql.Array(fresh.ConvertAll(item => item.Signup.Linkable.Signup.OccurredAt.ToUniversalTime()).ToArray()),
                        Sql.Array(fresh.ConvertAll(item => (long)item.Signup.Linkable.Keys.Account).ToArray()),
                        Sql.Array(fresh.ConvertAll(item => item.Signup.Facts).ToArray()),
                        Sql.Value(now),
                    },
                },
                DecisionRow.Insert(fresh.ConvertAll(item => (item.Signup.Tenant, item.Decision))),
                new NpgsqlBatchCommand("UPDATE lanes SET next_ordinal = u.next, state = u.state FROM unnest($1, $2, $3) AS u (tenant, next, state) WHERE lanes.tenant = u.tenant")
                {
                    Parameters =
                    {
                        Sql.Array(state.Lanes.Keys.ToArray()),
                        Sql.Array(state.Lanes.Values.Select(lane => lane.NextOrdinal).ToArray()),
                        Sql.Array(state.Lanes.Values.Select(lane => StateCodec.Encode(lane.State)).ToArray()),
                    },
                },
            },
        };
        if (tied.Count > 0)
        {
            command.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO link_events (tenant, ordinal, ties) SELECT * FROM unnest($1, $2, $3)")
            {
                Parameters =
                {
                    Sql.Array(tied.ConvertAll(item => item.Signup.Tenant).ToArray()),
                    Sql.Array(tied.ConvertAll(item => item.Decision.Ordinal).ToArray()),
                    Sql.Array(tied.ConvertAll(item => KeyTieCodec.Encode(item.Ties)).ToArray()),
                },
            });
        }
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static StoredDecision Decide(PreparedSignup prepared, Policy policy, Judgement judgement, Screener screener, KeyTable keys, long ordinal, DateTimeOffset now) => new()
    {
        DecisionId = Guid.CreateVersion7(now),
        SignupId = prepared.SignupId,
        Ordinal = ordinal,
        RecordedAt = now,
        Revision = 1,
        PolicyVersion = policy.Version,
        DecidedAt = now,
        OutwardCode = OutwardCode.Create(),
        Cause = DecisionCause.Screened,
        Body = Body(judgement, prepared.Linkable, screener, keys, ordinal),
        Facts = DecisionFacts.Encode(screener.Links, screener.Cluster),
    };

    /// <summary>A judgement as stored; evidence samples are ordinals until <see cref="NameSamplesAsync"/>.</summary>
    internal static DecisionBody Body(Judgement judgement, LinkableSignup linkable, Screener screener, KeyTable keys, long ordinal)
    {
        var signals = linkable.Signals;
        return new DecisionBody
        {
            Verdict = judgement.Verdict,
            Score = judgement.Score,
            Reasons = [.. judgement.Reasons.Select(reason => new StoredReason(
                reason.Code,
                reason.Text,
                reason.Contribution,
                reason.Evidence is not { } step
                    ? null
                    : new StoredStep(
                        step.Kind.ToString(),
                        step.Key.ToString(),
                        step.Accounts,
                        step.Expected,
                        step.Strength,
                        step.ConfirmedBad,
                        Screener.Samples(keys, step.Key, ordinal, SamplesMax).ConvertAll(sample => sample.ToString(Sql.Invariant)))))],
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
                new StoredSignalGroup("links", screener.Links.Any ? Core.Signals.SignalState.Present : Core.Signals.SignalState.Missing, screener.Links.Any ? null : "NO_KEYS"),
            ],
        };
    }
}
