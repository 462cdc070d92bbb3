using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Cli.Bench;

/// <summary>
/// The database-only ceiling: the service's own batches, statement by statement, with rows made before, one after another on one connection as
/// they are for a tenant. No gRPC, no signals, no linking, no rules; what is read is received and thrown away.
/// </summary>
internal static class BatchReference
{
    /// <summary>As large as the service's own may be.</summary>
    public const int BatchSignups = 200;

    /// <summary>Batches made ahead and written in turn, with new ids each time.</summary>
    private const int BatchesMade = 10;

    private const string Tenant = "bench-batches";

    /// <returns>Signups a second.</returns>
    public static async Task<double> MeasureAsync(NpgsqlDataSource source, ReferenceRows reference, TimeSpan warmUp, TimeSpan duration, CancellationToken cancellation)
    {
        var batches = Enumerable.Range(0, BatchesMade).Select(index => new Batch(reference, index * BatchSignups)).ToList();
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var run = Guid.NewGuid().ToString("N")[..8];
        var ordinal = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000;
        var written = 0L;
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; Stopwatch.GetElapsedTime(started) is var now && now < warmUp + duration; i++)
        {
            var batch = batches[i % batches.Count];
            batch.Renew(run, ordinal);
            ordinal += BatchSignups;
            await using (var question = batch.Question.Begin(connection))
            await using (var reader = await question.ExecuteReaderAsync(cancellation))
            {
                do
                {
                    while (await reader.ReadAsync(cancellation))
                    {
                    }
                }
                while (await reader.NextResultAsync(cancellation));
            }
            await batch.Rows.WriteAsync(connection, batch.RecordedAt, cancellation);
            if (now >= warmUp) written += BatchSignups;
        }
        return written / (Stopwatch.GetElapsedTime(started) - warmUp).TotalSeconds;
    }

    private sealed class Batch
    {
        private readonly List<int> _fresh = [];

        public Batch(ReferenceRows reference, int from)
        {
            Question.LaneTenants.Add(Tenant);
            Rows.LaneTenants.Add(Tenant);
            Rows.LaneNextOrdinals.Add(1);
            Rows.LaneStates.Add(reference.LaneState);
            var keys = new SortedDictionary<Guid, ReferenceKey>();
            for (var i = 0; i < BatchSignups; i++)
            {
                var signup = reference.Signups[(from + i) % reference.Signups.Count];
                Question.Tenants.Add(Tenant);
                Question.SignupIds.Add("");
                Rows.ContentHashes.Add(signup.ContentHash);
                Rows.OccurredAt.Add(signup.OccurredAt);
                Rows.Accounts.Add(signup.Account);
                Rows.SignupFacts.Add(signup.Facts);
                var decisions = Rows.Decisions;
                decisions.Tenants.Add(Tenant);
                decisions.Ordinals.Add(0);
                decisions.Revisions.Add(1);
                decisions.RecordedAt.Add(default);
                decisions.DecidedAt.Add(default);
                decisions.DecisionIds.Add(default);
                decisions.SignupIds.Add("");
                decisions.Verdicts.Add(signup.Verdict);
                decisions.Scores.Add(signup.Score);
                decisions.PolicyVersions.Add(signup.PolicyVersion);
                decisions.OutwardCodes.Add(signup.OutwardCode);
                decisions.Causes.Add(DecisionCause.Screened);
                decisions.Bodies.Add(signup.Body);
                decisions.Facts.Add(signup.DecisionFacts);
                foreach (var key in signup.Keys) keys[OwnKey(key.Key)] = key;
            }
            foreach (var (own, key) in keys)
            {
                if (key.Fresh) _fresh.Add(Rows.Keys.Count);
                Question.Keys.Add(own);
                Rows.Keys.Add(own);
                Rows.KeyKinds.Add(key.Kind);
                Rows.KeysLastSeen.Add(default);
                Rows.KeyStates.Add(key.State);
            }
        }

        public ScreeningQuestion Question { get; } = new();

        public ScreeningRows Rows { get; } = new();

        public DateTimeOffset RecordedAt { get; private set; }

        /// <summary>New signups with new keys where those of the sample were new.</summary>
        public void Renew(string run, long ordinal)
        {
            var now = DateTimeOffset.UtcNow;
            RecordedAt = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
            for (var i = 0; i < BatchSignups; i++)
            {
                Rows.Decisions.Ordinals[i] = ordinal + i;
                Rows.Decisions.RecordedAt[i] = Rows.Decisions.DecidedAt[i] = RecordedAt;
                Rows.Decisions.DecisionIds[i] = Guid.CreateVersion7(now);
                Question.SignupIds[i] = Rows.Decisions.SignupIds[i] = string.Create(CultureInfo.InvariantCulture, $"su_{run}_{ordinal + i}");
            }
            foreach (var i in _fresh) Question.Keys[i] = Rows.Keys[i] = Guid.NewGuid();
            for (var i = 0; i < Rows.KeysLastSeen.Count; i++) Rows.KeysLastSeen[i] = RecordedAt;
            Rows.LaneNextOrdinals[0] = ordinal + BatchSignups;
        }

        /// <summary>Another key as random as the sample's, so that no key of the runs is touched.</summary>
        private static Guid OwnKey(Guid key)
        {
            Span<byte> bytes = stackalloc byte[16];
            key.TryWriteBytes(bytes, bigEndian: true, out _);
            BinaryPrimitives.WriteUInt64BigEndian(bytes, BinaryPrimitives.ReadUInt64BigEndian(bytes) ^ 0x5A5A_5A5A_5A5A_5A5AUL);
            return new Guid(bytes, bigEndian: true);
        }
    }
}
