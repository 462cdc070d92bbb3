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

    /// <summary>Room for the keys that a batch's signups do not share.</summary>
    private const int KeysExpected = 16;

    /// <summary>Screens a batch. Results are in the batch's order. Throws what Npgsql throws; then nothing of the batch is stored.</summary>
    public async Task<ScreeningResult[]> ScreenAsync(IReadOnlyList<PreparedSignup> batch, Policy policy, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
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
            await Rows(policy.Linkage.Rules, read, fresh).WriteAsync(connection, now, cancellation);
        }
        else
        {
            await using var commit = new NpgsqlCommand("COMMIT", connection);
            await commit.ExecuteNonQueryAsync(cancellation);
        }
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
        await using var command = Question(batch).Begin(connection);
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

    private static ScreeningQuestion Question(IReadOnlyList<PreparedSignup> batch)
    {
        var question = new ScreeningQuestion();
        var keys = new HashSet<LinkKey>(batch.Count * KeysExpected);
        foreach (var signup in batch)
        {
            question.Tenants.Add(signup.Tenant);
            question.SignupIds.Add(signup.SignupId);
            if (!question.LaneTenants.Contains(signup.Tenant)) question.LaneTenants.Add(signup.Tenant);
            foreach (var key in signup.Linkable.Keys.Keys)
            {
                if (!key.IsNone && keys.Add(key)) question.Keys.Add(key.ToGuid());
            }
        }
        question.LaneTenants.Sort(StringComparer.Ordinal);
        return question;
    }

    private static ScreeningRows Rows(IReadOnlyList<LinkageRule> rules, BatchState state, List<Screened> fresh)
    {
        var rows = new ScreeningRows();
        var kinds = new Dictionary<LinkKey, short>(state.Keys.Changed.Count);
        foreach (var (signup, decision, ties) in fresh)
        {
            var linkable = signup.Linkable;
            foreach (var rule in rules)
            {
                if (linkable.Keys.Keys[rule.Index] is { IsNone: false } key) kinds.TryAdd(key, rule.Kind.Code);
            }
            rows.Decisions.Add(signup.Tenant, decision);
            rows.ContentHashes.Add(signup.ContentHash);
            rows.OccurredAt.Add(linkable.Signup.OccurredAt.ToUniversalTime());
            rows.Accounts.Add(linkable.Keys.Account);
            rows.SignupFacts.Add(signup.Facts);
            if (ties.Count == 0) continue;
            rows.TieTenants.Add(signup.Tenant);
            rows.TieOrdinals.Add(decision.Ordinal);
            rows.Ties.Add(KeyTieCodec.Encode(ties));
        }
        // In the order of the keys, so that replicas never wait for each other in a circle, and the index is walked in order.
        var changed = state.Keys.Changed.ToArray();
        Array.Sort(changed, static (one, two) => one.Hash.CompareTo(two.Hash));
        foreach (var key in changed)
        {
            ref readonly var known = ref state.Keys.Look(key);
            rows.Keys.Add(key.ToGuid());
            rows.KeyKinds.Add(kinds[key]);
            rows.KeysLastSeen.Add(DateTimeOffset.FromUnixTimeMilliseconds(known.LastSeenMs));
            rows.KeyStates.Add(StateCodec.Encode(known));
        }
        foreach (var (tenant, lane) in state.Lanes)
        {
            rows.LaneTenants.Add(tenant);
            rows.LaneNextOrdinals.Add(lane.NextOrdinal);
            rows.LaneStates.Add(StateCodec.Encode(lane.State));
        }
        return rows;
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
        Facts = DecisionFacts.Encode(screener.Links, screener.Cluster, prepared.Linkable.Lists),
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
