using System.Diagnostics;
using Grpc.Core;
using SignupGuard.Cli.Commands;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Evaluation;
using SignupGuard.V1;

namespace SignupGuard.Cli.Evaluation;

/// <summary>
/// Screens a labelled stream through a running service: first answers from ScreenSignups, second looks from WatchDecisions. Networks are those
/// the decisions name, as of when they were made.
/// </summary>
internal static class ServiceEvaluation
{
    /// <summary>Signups sent and not yet answered.</summary>
    private const int InFlightMax = 1_000;

    /// <summary>Without a change for so long, the second looks are done.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    public static async Task<EvaluatedStream> RunAsync(
        string input,
        Dictionary<string, TrueLabel> truth,
        ScreeningService.ScreeningServiceClient client,
        Action<long, string> report,
        CancellationToken cancellation)
    {
        var answered = new List<(long Line, Signup Signup, Decision Decision)>();
        var leftOut = 0L;
        var started = Stopwatch.GetTimestamp();
        using (var room = new SemaphoreSlim(InFlightMax))
        using (var call = client.ScreenSignups(cancellationToken: cancellation))
        {
            var sent = new System.Collections.Concurrent.ConcurrentQueue<(long Line, Signup Signup)>();
            var sending = SendAsync();
            while (await call.ResponseStream.MoveNext(cancellation))
            {
                sent.TryDequeue(out var asked);
                room.Release();
                var answer = call.ResponseStream.Current;
                if (answer.Decision is { } decision)
                {
                    answered.Add((asked.Line, asked.Signup, decision));
                    continue;
                }
                leftOut++;
                report(asked.Line, $"{answer.Error.Reason}: {answer.Error.Message}");
            }
            await sending;

            async Task SendAsync()
            {
                await using var file = File.OpenRead(input);
                await foreach (var line in JsonLines.ReadAsync(file, cancellation))
                {
                    var signup = SignupLine.Read(line, out var problem);
                    if (signup is null || !truth.ContainsKey(signup.SignupId))
                    {
                        Interlocked.Increment(ref leftOut);
                        report(line.Number, problem?.ToString() ?? "no label for this signup");
                        continue;
                    }
                    await room.WaitAsync(cancellation);
                    sent.Enqueue((line.Number, signup));
                    await call.RequestStream.WriteAsync(new ScreenSignupsRequest { Signup = signup }, cancellation);
                }
                await call.RequestStream.CompleteAsync();
            }
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        var byId = new Dictionary<string, EvaluatedSignup>(StringComparer.Ordinal);
        var signups = new List<EvaluatedSignup>(answered.Count);
        foreach (var (_, signup, decision) in answered)
        {
            var evaluated = MemoryEvaluation.Begin(
                signups.Count + 1, signup.OccurredAt.ToDateTimeOffset().ToUnixTimeMilliseconds(), truth[signup.SignupId], ToVerdict(decision.Verdict), LogOdds(decision.Score), decision.Score);
            evaluated.Cluster = decision.Cluster?.ClusterId ?? 0;
            signups.Add(evaluated);
            byId[signup.SignupId] = evaluated;
        }
        var decidedAt = answered.Select(item => item.Decision.DecidedAt.ToDateTimeOffset()).ToList();
        await WatchAsync(client, byId, signups, decidedAt, cancellation);
        return new EvaluatedStream(signups, signups.Count / seconds, leftOut);
    }

    private static async Task WatchAsync(
        ScreeningService.ScreeningServiceClient client,
        Dictionary<string, EvaluatedSignup> byId,
        List<EvaluatedSignup> signups,
        List<DateTimeOffset> decidedAt,
        CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var watch = client.WatchDecisions(new WatchDecisionsRequest { ChangesOnly = true }, cancellationToken: ending.Token);
        while (true)
        {
            var next = watch.ResponseStream.MoveNext(ending.Token);
            if (await Task.WhenAny(next, Task.Delay(Quiet, cancellation)) != next || !await next) break;
            if (watch.ResponseStream.Current.Change is not { } change || !byId.TryGetValue(change.SignupId, out var signup)) continue;
            // The signup after whose answer the change came, and its place in the stream's own time.
            var after = decidedAt.BinarySearch(change.ChangedAt.ToDateTimeOffset());
            var ordinal = Math.Clamp(after < 0 ? ~after : after, 1, signups.Count);
            var judgement = new Judgement
            {
                Verdict = ToVerdict(change.Verdict),
                LogOdds = LogOdds(change.Decision.Score),
                Score = change.Decision.Score,
                Reasons = [],
                Labels = [],
                Obligations = [],
                Undecided = [],
            };
            signup.Raise(judgement, ordinal, signups[ordinal - 1].AtMs);
            if (change.Decision.Cluster is { } cluster) signup.Cluster = cluster.ClusterId;
        }
        await ending.CancelAsync();
    }

    private static Core.Decisions.Verdict ToVerdict(V1.Verdict verdict) => verdict switch
    {
        V1.Verdict.Allow => Core.Decisions.Verdict.Allow,
        V1.Verdict.Review => Core.Decisions.Verdict.Review,
        V1.Verdict.Deny => Core.Decisions.Verdict.Deny,
        _ => throw new InvalidDataException("The service answered without a verdict."),
    };

    /// <summary>Ranks as the score does; bounded where the score has no digits left.</summary>
    private static double LogOdds(double score)
    {
        var p = Math.Clamp(score / 100, 1e-15, 1 - 1e-15);
        return Math.Log(p / (1 - p));
    }
}
