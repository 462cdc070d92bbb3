using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Telemetry;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Screening;

/// <summary>
/// Commits waiting signups together: whatever waits when the previous commit returns goes into the next transaction, up to a bound. There
/// is no timer, so an idle service commits at once and a busy one in growing groups.
/// <code>
///  callers ──▶ bounded queue ──▶ batch ──▶ one transaction ──▶ answers
///                                  ▲            │
///                                  │            ├─ the database is away: the same batch again, as long as anybody waits
///                                  └────────────┴─ it refuses the batch: each half by itself, so that one bad signup fails alone
/// </code>
/// </summary>
public sealed class GroupCommit(
    ScreeningStore store,
    ActivePolicy policies,
    ChangeNotifications changes,
    ShadowComparison shadows,
    IOptions<ScreeningOptions> options,
    TimeProvider clock,
    ILogger<GroupCommit> log) : BackgroundService
{
    private static readonly TimeSpan RetryDelayMin = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromMilliseconds(500);

    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(options.Value.QueueMax);

    private volatile bool _stopping;
    private long _batches;

    /// <summary>Signups that wait for a transaction to begin.</summary>
    public int Queued => _queue.Reader.Count;

    /// <summary>Transactions begun so far: those who work in the background see by it whether signups come in.</summary>
    public long Batches => Interlocked.Read(ref _batches);

    private sealed class Waiting(PreparedSignup signup, PolicySnapshot preparedBy, ActivityContext cause)
    {
        private readonly TaskCompletionSource<ScreeningOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PreparedSignup Signup { get; } = signup;

        public PolicySnapshot PreparedBy { get; } = preparedBy;

        public ActivityContext Cause { get; } = cause;

        public Task<ScreeningOutcome> Outcome => _outcome.Task;

        /// <summary>The caller has its answer or waits no longer.</summary>
        public bool Left => _outcome.Task.IsCompleted;

        public void Complete(ScreeningOutcome outcome) => _outcome.TrySetResult(outcome);

        public void Leave(CancellationToken cancellation) => _outcome.TrySetCanceled(cancellation);
    }

    /// <summary>
    /// Waits for the signup's commit. A signup whose caller gives up may still be stored: sending it again gives the stored decision.
    /// </summary>
    /// <param name="preparedBy">The policy its keys were derived by.</param>
    /// <param name="time">After it the outcome is <see cref="ScreeningOutcome.Unavailable"/>.</param>
    /// <param name="waitForRoom">Held back while the queue is full, rather than refused: for streams.</param>
    /// <returns>Ends when the signup is queued; the inner task when it is decided.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async ValueTask<Task<ScreeningOutcome>> EnqueueAsync(PreparedSignup signup, PolicySnapshot preparedBy, TimeSpan time, bool waitForRoom, CancellationToken cancellation)
    {
        var waiting = new Waiting(signup, preparedBy, Activity.Current?.Context ?? default);
        if (!_queue.Writer.TryWrite(waiting))
        {
            if (_stopping) return Task.FromResult<ScreeningOutcome>(new ScreeningOutcome.Unavailable());
            if (!waitForRoom) return Task.FromResult<ScreeningOutcome>(new ScreeningOutcome.Overloaded());
            try
            {
                await _queue.Writer.WriteAsync(waiting, cancellation);
            }
            catch (ChannelClosedException)
            {
                return Task.FromResult<ScreeningOutcome>(new ScreeningOutcome.Unavailable());
            }
        }
        Instruments.Queued.Add(1);
        return OutcomeAsync(waiting, time, cancellation);
    }

    private async Task<ScreeningOutcome> OutcomeAsync(Waiting waiting, TimeSpan time, CancellationToken cancellation)
    {
        try
        {
            return await waiting.Outcome.WaitAsync(time, clock, cancellation);
        }
        catch (TimeoutException)
        {
            // Here degraded answers will take over: the signals alone, by the policy's failure verdict. Until then the caller hears that
            // nothing was decided; a silent allow is not among the choices.
            var unavailable = new ScreeningOutcome.Unavailable();
            waiting.Complete(unavailable);
            return unavailable;
        }
        catch (OperationCanceledException)
        {
            waiting.Leave(cancellation);
            throw;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Waiting>(options.Value.BatchMax);
        // Ends when the queue is closed and empty, not with the token: those who wait at a stop still get their answers.
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < options.Value.BatchMax && _queue.Reader.TryRead(out var waiting))
            {
                Instruments.Queued.Add(-1);
                if (!waiting.Left) batch.Add(waiting);
            }
            await CommitAsync(batch, stoppingToken);
            batch.Clear();
        }
    }

    /// <summary>Refuses new signups, then commits those that wait, as long as the host allows.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        _queue.Writer.TryComplete();
        if (ExecuteTask is { } running) await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
        while (_queue.Reader.TryRead(out var waiting)) waiting.Complete(new ScreeningOutcome.Unavailable());
    }

    /// <summary>Every one of the batch has its outcome when this returns; it does not throw.</summary>
    private async Task CommitAsync(List<Waiting> batch, CancellationToken stopping)
    {
        var delay = RetryDelayMin;
        while (true)
        {
            batch.RemoveAll(waiting => waiting.Left);
            if (batch.Count == 0) return;
            try
            {
                var results = await StoreAsync(batch, stopping);
                for (var i = 0; i < batch.Count; i++) batch[i].Complete(Outcome(results[i]));
                return;
            }
            catch (Exception failure) when (Fault.IsPassing(failure))
            {
                ScreeningLog.BatchRetried(log, batch.Count, Fault.Describe(failure));
                Instruments.BatchesRetried.Add(1);
                await Task.Delay(delay, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 < RetryDelayMax ? delay * 2 : RetryDelayMax;
                // At a stop nobody waits for a database that is away.
                if (stopping.IsCancellationRequested)
                {
                    foreach (var waiting in batch) waiting.Complete(new ScreeningOutcome.Unavailable());
                    return;
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                foreach (var waiting in batch) waiting.Complete(new ScreeningOutcome.Unavailable());
                return;
            }
            catch (Exception failure) when (batch.Count > 1)
            {
                ScreeningLog.BatchSplit(log, batch.Count, Fault.Describe(failure));
                var half = batch.Count / 2;
                await CommitAsync(batch.GetRange(0, half), stopping);
                await CommitAsync(batch.GetRange(half, batch.Count - half), stopping);
                return;
            }
            catch (Exception failure)
            {
                var reference = Fault.NewReference();
                ScreeningLog.SignupFailed(log, reference, Fault.Describe(failure));
                batch[0].Complete(new ScreeningOutcome.Failed(reference));
                return;
            }
        }
    }

    private async Task<ScreeningResult[]> StoreAsync(List<Waiting> batch, CancellationToken stopping)
    {
        using var activity = Instruments.Source.StartActivity("commit signups", ActivityKind.Internal, default(ActivityContext), links: batch.Select(waiting => new ActivityLink(waiting.Cause)));
        activity?.SetTag("signupguard.batch.size", batch.Count);
        var started = clock.GetTimestamp();
        Interlocked.Increment(ref _batches);
        var policy = policies.Snapshot;
        // The policy may have changed since a signup was prepared; one transaction is decided by one version, its link keys too.
        var signups = batch.ConvertAll(waiting => ReferenceEquals(waiting.PreparedBy, policy) ? waiting.Signup : Prepare(waiting.Signup, policy));
        var results = await store.ScreenAsync(signups, policy.Policy, stopping);
        changes.Announce(ChangeTopic.Decisions);
        shadows.Offer(policy, signups, results);
        Instruments.BatchSize.Record(batch.Count);
        Instruments.BatchSeconds.Record(clock.GetElapsedTime(started).TotalSeconds);
        return results;
    }

    private static PreparedSignup Prepare(PreparedSignup signup, PolicySnapshot policy) =>
        signup with { Linkable = signup.Linkable with { Keys = policy.Keys.Derive(signup.Tenant, signup.Linkable.Signup, signup.Linkable.Signals) } };

    private static ScreeningOutcome Outcome(ScreeningResult result) => result switch
    {
        ScreeningResult.Decided decided => new ScreeningOutcome.Decided(decided.Decision, decided.Replayed),
        ScreeningResult.IdReused => new ScreeningOutcome.IdReused(),
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "A result without an outcome."),
    };
}
