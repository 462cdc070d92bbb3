using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Backtests;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Backtests;

namespace SignupGuard.Service.Backtests;

/// <summary>The signups a backtest reports on, by when they occurred.</summary>
/// <param name="From">Null: from the first stored.</param>
/// <param name="Until">Null: to the newest.</param>
public sealed record BacktestWindow(DateTimeOffset? From, DateTimeOffset? Until);

/// <summary>How far a backtest came.</summary>
/// <param name="Signups">Replayed so far, those that only warm the memory included.</param>
/// <param name="PerSecond">Of the whole run, pauses for live traffic included.</param>
/// <param name="Reached">Time of the signup last replayed.</param>
public sealed record BacktestProgress(long Signups, long Total, double PerSecond, DateTimeOffset Reached);

/// <summary>What became of a request for a backtest.</summary>
public abstract record BacktestOutcome
{
    private BacktestOutcome()
    {
    }

    public sealed record Finished(BacktestReport Report) : BacktestOutcome;

    /// <summary>Another backtest runs on this replica.</summary>
    public sealed record Busy : BacktestOutcome;

    /// <summary>More signups than one backtest may hold in memory: choose a shorter time.</summary>
    public sealed record TooMany(long Signups, long Max) : BacktestOutcome;
}

/// <summary>
/// Runs backtests on stored signups: reads them in their order, prepares them on all processors, and screens them under both policies beside each other.
/// One at a time per replica. Live signups come first: while there are any, it rests most of the time.
/// <code>
///  signups ──▶ read a range ──▶ open, map, derive keys ──▶ in order ──┬──▶ baseline
///  (database)   one ahead        a task a range                      └──▶ candidate
/// </code>
/// Memory is bounded by <see cref="SignupsMax"/> and what screening remembers of 30 days of the stream.
/// </summary>
public sealed class BacktestRun(StoredSignups stored, KeyHasher hasher, FactsCipher cipher, GroupCommit live, TimeProvider clock, ILogger<BacktestRun> log) : IDisposable
{
    /// <summary>Signups of one backtest, those that only warm the memory included.</summary>
    public const long SignupsMax = 5_000_000;

    /// <summary>Replayed before the time reported on: as far as a network looks back.</summary>
    public static readonly TimeSpan WarmUp = TimeSpan.FromDays(MemoryScreening.SecondLookDays);

    /// <summary>Ordinals read and prepared together: some milliseconds of work, about 1 MB, so that most of it is garbage before a collection comes by.</summary>
    private const int ChunkSignups = 250;

    /// <summary>Between two reports of progress.</summary>
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>While signups come in, it rests so many times as long as it works.</summary>
    private const int RestFactor = 3;

    /// <summary>Longest rest at once.</summary>
    private static readonly TimeSpan RestMax = TimeSpan.FromSeconds(1);

    /// <summary>How far a caller's clock may run ahead of ours: a signup may occur after it was recorded.</summary>
    private static readonly TimeSpan ClockSkew = Transport.Validation.Rules.ClockSkewMax;

    private readonly SemaphoreSlim _running = new(1);

    /// <summary>
    /// Replays and compares. What happened before the window warms the memory, as far back as <see cref="WarmUp"/>; the report says whether that is all there was.
    /// </summary>
    /// <param name="progress">Told twice a second.</param>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    public async Task<BacktestOutcome> RunAsync(string tenant, Policy baseline, Policy candidate, BacktestWindow window, IProgress<BacktestProgress>? progress, CancellationToken cancellation)
    {
        if (!await _running.WaitAsync(TimeSpan.Zero, cancellation)) return new BacktestOutcome.Busy();
        try
        {
            var read = new Reading(tenant, window);
            var range = await stored.FindAsync(tenant, read.RecordedFrom, read.OccurredBefore, cancellation);
            if (range.Signups > SignupsMax) return new BacktestOutcome.TooMany(range.Signups, SignupsMax);
            var started = clock.GetTimestamp();
            var replay = new Replay(new Backtest(baseline, candidate), await stored.LabelsAsync(tenant, cancellation));
            await ReplayAsync(read, range, new Preparation(hasher, cipher, tenant, window, baseline, candidate), replay, progress, cancellation);
            await replay.EndAsync();
            var report = await WithIdsAsync(tenant, replay.Backtest.Report(range.Complete), replay.Ordinals, cancellation);
            var seconds = clock.GetElapsedTime(started).TotalSeconds;
            BacktestLog.Finished(log, replay.Backtest.Signups, candidate.Version, seconds);
            return new BacktestOutcome.Finished(report);
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    /// <summary>What is read.</summary>
    private sealed class Reading(string tenant, BacktestWindow window)
    {
        public string Tenant => tenant;

        public DateTimeOffset RecordedFrom { get; } = window.From is { } from && from - DateTimeOffset.UnixEpoch > WarmUp ? from - WarmUp - ClockSkew : DateTimeOffset.UnixEpoch;

        public DateTimeOffset OccurredBefore { get; } = window.Until ?? DateTimeOffset.MaxValue;
    }

    private async Task ReplayAsync(Reading read, StoredRange range, Preparation preparation, Replay replay, IProgress<BacktestProgress>? progress, CancellationToken cancellation)
    {
        if (range.Signups == 0) return;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var chunks = Channel.CreateBounded<Task<List<Prepared>>>(Environment.ProcessorCount);
        var reading = ReadAsync(read, range, preparation, chunks.Writer, ending.Token);
        var (started, told) = (clock.GetTimestamp(), clock.GetTimestamp());
        try
        {
            var load = new Load(live, clock);
            await foreach (var pending in chunks.Reader.ReadAllAsync(cancellation))
            {
                var chunk = await pending;
                load.Begin();
                await replay.ScreenAsync(chunk);
                await load.RestAsync(cancellation);
                if (progress is null || chunk.Count == 0 || clock.GetElapsedTime(told) < ProgressEvery) continue;
                told = clock.GetTimestamp();
                progress.Report(new BacktestProgress(replay.Seen, range.Signups, replay.Seen / clock.GetElapsedTime(started).TotalSeconds, chunk[^1].RecordedAt));
            }
        }
        finally
        {
            // The reader must be at rest when this returns, whatever ended it.
            await ending.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(Reading read, StoredRange range, Preparation preparation, ChannelWriter<Task<List<Prepared>>> chunks, CancellationToken cancellation)
    {
        try
        {
            var load = new Load(live, clock);
            for (var first = range.First; first <= range.Last; first += ChunkSignups)
            {
                load.Begin();
                var signups = await stored.ReadAsync(read.Tenant, first, Math.Min(first + ChunkSignups - 1, range.Last), read.RecordedFrom, read.OccurredBefore, cancellation);
                await chunks.WriteAsync(Task.Run(() => signups.ConvertAll(preparation.Prepare), cancellation), cancellation);
                await load.RestAsync(cancellation);
            }
            chunks.Complete();
        }
        catch (Exception failure)
        {
            chunks.Complete(failure);
        }
    }

    private async Task<BacktestReport> WithIdsAsync(string tenant, BacktestReport report, List<long> ordinals, CancellationToken cancellation)
    {
        var ids = await stored.IdsAsync(tenant, report.Moves.SelectMany(move => move.Samples).Select(sample => ordinals[(int)sample.Ordinal - 1]).ToList(), cancellation);
        return report with
        {
            Moves = [.. report.Moves.Select(move => move with { Samples = [.. move.Samples.Select(sample => sample with { SignupId = ids.GetValueOrDefault(ordinals[(int)sample.Ordinal - 1]) })] })],
        };
    }

    /// <summary>A stored signup on its way; without the signup when it can't be read.</summary>
    private sealed record Prepared(long Ordinal, DateTimeOffset RecordedAt, bool Reported, LinkableSignup? Baseline, LinkableSignup? Candidate, StoredSignup Stored);

    /// <summary>Steps 2 and 4 for stored signups; their signals and lists are those they were decided by. Thread-safe.</summary>
    private sealed class Preparation(KeyHasher hasher, FactsCipher cipher, string tenant, BacktestWindow window, Policy baseline, Policy candidate)
    {
        private readonly LinkKeyDerivation _baseline = new(hasher, baseline.Linkage.Rules);
        private readonly LinkKeyDerivation? _candidate = SameKeys(baseline, candidate) ? null : new LinkKeyDerivation(hasher, candidate.Linkage.Rules);

        public Prepared Prepare(StoredSignup signup)
        {
            try
            {
                var (core, signals) = StoredFacts.Open(cipher, tenant, signup.Facts);
                var hashes = default(AttributeHashes);
                var one = new LinkableSignup(core, signals, _baseline.Derive(tenant, core, signals, ref hashes)) { Lists = signup.Lists };
                var other = _candidate is null ? one : one with { Keys = _candidate.Derive(tenant, core, signals, ref hashes) };
                return new Prepared(signup.Ordinal, signup.RecordedAt, window.From is not { } from || core.OccurredAt >= from, one, other, signup);
            }
            catch (Exception failure) when (failure is InvalidDataException or InvalidProtocolBufferException)
            {
                // Under a key that is gone, or damaged: counted in the report.
                return new Prepared(signup.Ordinal, signup.RecordedAt, window.From is not { } from || signup.RecordedAt >= from, null, null, signup);
            }
        }

        /// <summary>Whether both policies' linkage rules make the same keys at the same places.</summary>
        private static bool SameKeys(Policy one, Policy other) =>
            one.Linkage.Rules.Select(Made).SequenceEqual(other.Linkage.Rules.Select(Made));

        private static (int, KeyKind, LinkAttribute?, LinkAttribute?, bool) Made(LinkageRule rule) => (rule.Index, rule.Kind, rule.Given, rule.Spread, rule.Mode == RuleMode.Off);
    }

    /// <summary>The stream as it is replayed: places labels, and finds what was one transaction.</summary>
    private sealed class Replay(Backtest backtest, List<StoredLabel> labels)
    {
        private int _nextLabel;
        private DateTimeOffset _recordedAt = DateTimeOffset.MinValue;

        public Backtest Backtest => backtest;

        /// <summary>Stored ordinals by place in the stream.</summary>
        public List<long> Ordinals { get; } = [];

        /// <summary>Signups seen, those that can't be read included.</summary>
        public long Seen { get; private set; }

        public async Task ScreenAsync(List<Prepared> chunk)
        {
            var signups = new List<BacktestSignup>(chunk.Count);
            var told = new List<BacktestLabel>();
            foreach (var signup in chunk)
            {
                Seen++;
                if (signup is not { Baseline: { } baseline, Candidate: { } candidate })
                {
                    if (signup.Reported) backtest.LeaveOut();
                    continue;
                }
                var begins = signup.RecordedAt != _recordedAt;
                _recordedAt = signup.RecordedAt;
                for (; begins && _nextLabel < labels.Count && labels[_nextLabel].LabelledAt < signup.RecordedAt; _nextLabel++) Tell(labels[_nextLabel], signups.Count, told);
                Ordinals.Add(signup.Ordinal);
                (Core.Decisions.Verdict, Core.Decisions.Verdict)? verdicts = signup.Stored is { First: { } first, ByPolicy: { } inForce } ? (first, inForce) : null;
                signups.Add(new BacktestSignup(baseline, candidate, begins, signup.Reported, verdicts));
            }
            await backtest.ScreenAsync(signups, told);
        }

        /// <summary>Labels told after the last signup.</summary>
        public Task EndAsync()
        {
            var told = new List<BacktestLabel>();
            for (; _nextLabel < labels.Count; _nextLabel++) Tell(labels[_nextLabel], 0, told);
            return backtest.ScreenAsync([], told);
        }

        private void Tell(StoredLabel label, int before, List<BacktestLabel> told)
        {
            // Of a signup that is not replayed: nothing here knows it.
            var place = Ordinals.BinarySearch(label.Ordinal);
            if (place >= 0) told.Add(new BacktestLabel(before, place + 1, label.Label));
        }
    }

    /// <summary>Leaves the processors to live signups while there are any.</summary>
    private sealed class Load(GroupCommit live, TimeProvider clock)
    {
        private long _batches = live.Batches;
        private long _began;

        public void Begin() => _began = clock.GetTimestamp();

        /// <summary>Rests if a batch was committed, or waits, since the last time.</summary>
        public async Task RestAsync(CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            var batches = live.Batches;
            var traffic = batches != _batches || live.Queued > 0;
            _batches = batches;
            if (!traffic) return;
            var rest = clock.GetElapsedTime(_began) * RestFactor;
            await Task.Delay(rest < RestMax ? rest : RestMax, clock, cancellation);
        }
    }
}

internal static partial class BacktestLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Information, Message = "Backtest of policy version {Version} on {Signups} signups took {Seconds:F1} s")]
    public static partial void Finished(ILogger logger, long signups, long version, double seconds);
}
