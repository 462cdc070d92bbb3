using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Decisions;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Telemetry;
using SignupGuard.Storage.Policies;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Policies;

/// <summary>
/// Lets shadow policies judge what was just decided, after the answer and off its path: by the links and the network that the decision was made
/// from, as stored with it. The queue is bounded; when shadows can't keep up, signups are left out and counted, and none waits. What is counted is
/// written about every second; a replica that is killed loses that much.
/// </summary>
public sealed class ShadowComparison(ShadowStore store, TimeProvider clock, ILogger<ShadowComparison> log) : BackgroundService
{
    /// <summary>Signups that may wait for their shadows.</summary>
    public const int QueueMax = 5_000;

    /// <summary>Signups judged between two looks at the clock.</summary>
    private const int ChunkMax = 200;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);

    /// <summary>Time for the last counts when the service stops.</summary>
    private static readonly TimeSpan LastWriteMax = TimeSpan.FromSeconds(5);

    private readonly Channel<Decided> _queue = Channel.CreateBounded<Decided>(QueueMax);
    private readonly Dictionary<ShadowCountKey, long> _counts = [];
    private readonly List<ShadowSample> _samples = [];
    private readonly Dictionary<(long Version, Verdict Active, Verdict Shadow), int> _sampled = [];

    private sealed record Decided(PolicySnapshot By, PreparedSignup Signup, StoredDecision Decision);

    /// <summary>Takes a committed batch; returns at once.</summary>
    /// <param name="by">The policies when it was decided.</param>
    public void Offer(PolicySnapshot by, IReadOnlyList<PreparedSignup> signups, IReadOnlyList<ScreeningResult> results)
    {
        if (by.Shadows.Count == 0) return;
        for (var i = 0; i < signups.Count; i++)
        {
            if (results[i] is ScreeningResult.Decided { Replayed: false } decided && !_queue.Writer.TryWrite(new Decided(by, signups[i], decided.Decision))) Instruments.ShadowSkipped.Add(1);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (lastWrite, lastForget) = (clock.GetTimestamp(), clock.GetTimestamp());
        while (!stoppingToken.IsCancellationRequested)
        {
            if (_counts.Count == 0) await ((Task)_queue.Reader.WaitToReadAsync(stoppingToken).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (var i = 0; i < ChunkMax && _queue.Reader.TryRead(out var decided); i++) Compare(decided);
            if (clock.GetElapsedTime(lastWrite) >= WriteEvery)
            {
                var forget = clock.GetElapsedTime(lastForget) >= ForgetEvery;
                await WriteAsync(forget, stoppingToken);
                lastWrite = clock.GetTimestamp();
                if (forget) lastForget = lastWrite;
            }
            else if (_queue.Reader.Count == 0)
            {
                await Task.Delay(WriteEvery - clock.GetElapsedTime(lastWrite), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Judges and writes what waits, as long as that does not take too long.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (ExecuteTask is { IsCompleted: false }) return;
        while (!cancellationToken.IsCancellationRequested && _queue.Reader.TryRead(out var decided)) Compare(decided);
        using var limit = new CancellationTokenSource(LastWriteMax, clock);
        await WriteAsync(forget: false, limit.Token);
    }

    private void Compare(Decided decided)
    {
        // A policy that can't judge one signup must not end the comparison of the others; it would not have been able to decide it either.
        try
        {
            var facts = DecisionFacts.Decode(decided.Decision.Facts!);
            var signup = decided.Signup.Linkable;
            foreach (var shadow in decided.By.Shadows)
            {
                var judgement = facts.Judge(shadow.Policy, signup.Signup, signup.Signals);
                Count(decided, shadow, judgement);
            }
        }
        catch (Exception failure)
        {
            Instruments.ShadowSkipped.Add(1);
            PolicyLog.ShadowFailed(log, Fault.Describe(failure));
        }
    }

    private void Count(Decided decided, LoadedPolicy shadow, Judgement judgement)
    {
        var (tenant, decision, body) = (decided.Signup.Tenant, decided.Decision, decided.Decision.Body);
        var version = shadow.Policy.Version;
        var key = new ShadowCountKey(tenant, version, shadow.Run, DateOnly.FromDateTime(decision.DecidedAt.UtcDateTime), decision.PolicyVersion, body.Verdict, judgement.Verdict);
        System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out _)++;
        if (body.Verdict == judgement.Verdict) return;
        ref var sampled = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_sampled, (version, body.Verdict, judgement.Verdict), out _);
        if (sampled >= ShadowStore.SamplesKept) return;
        sampled++;
        _samples.Add(new ShadowSample(tenant, version, shadow.Run, new ShadowDifference
        {
            SignupId = decision.SignupId,
            JudgedAt = decision.DecidedAt,
            ActiveVersion = decision.PolicyVersion,
            ActiveVerdict = body.Verdict,
            ShadowVerdict = judgement.Verdict,
            ActiveScore = body.Score,
            ShadowScore = judgement.Score,
            Reasons = [.. judgement.Reasons.Select(reason => reason.Code)],
        }));
    }

    private async Task WriteAsync(bool forget, CancellationToken cancellation)
    {
        try
        {
            await store.AddAsync(_counts, _samples, cancellation);
            _counts.Clear();
            _samples.Clear();
            _sampled.Clear();
            if (forget) await store.ForgetAsync(clock.GetUtcNow(), cancellation);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // What is counted stays for the next time: few numbers, and a bounded number of samples.
            PolicyLog.ShadowNotWritten(log, Fault.Describe(failure));
        }
        catch (OperationCanceledException)
        {
            PolicyLog.ShadowNotWritten(log, "stopping");
        }
    }
}
