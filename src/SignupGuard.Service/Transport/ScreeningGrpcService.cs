using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Outcomes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Transport;

/// <summary>The contract's ScreeningService, over gRPC and as JSON over HTTP. Translates; decides nothing.</summary>
internal sealed class ScreeningGrpcService(
    ScreeningPipeline pipeline,
    DecisionReader decisions,
    OutcomeStore outcomes,
    RequestValidation validation,
    ChangeNotifications changed,
    IOptions<ScreeningOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider clock) : V1.ScreeningService.ScreeningServiceBase
{
    /// <summary>How soon a change shows in WatchDecisions, at the latest: sooner when its replica tells of it.</summary>
    private static readonly TimeSpan WatchPoll = TimeSpan.FromMilliseconds(150);

    /// <summary>A silent stream says that it lives.</summary>
    private static readonly TimeSpan WatchHeartbeat = TimeSpan.FromSeconds(10);

    /// <summary>What is left of a caller's time for the answer's way back: a tenth, at most this.</summary>
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromMilliseconds(50);

    public override async Task<V1.ScreenSignupResponse> ScreenSignup(V1.ScreenSignupRequest request, ServerCallContext context)
    {
        var outcome = await pipeline.ScreenAsync(Tenancy.Of(context), request.Signup, TimeLeft(context), context.CancellationToken);
        return outcome is ScreeningOutcome.Decided decided
            ? new V1.ScreenSignupResponse { Decision = DecisionMap.ToContract(decided.Decision, decided.Replayed) }
            : throw Refusal.Of(outcome).ToRpcException();
    }

    public override async Task ScreenSignups(
        IAsyncStreamReader<V1.ScreenSignupsRequest> requestStream,
        IServerStreamWriter<V1.ScreenSignupsResponse> responseStream,
        ServerCallContext context)
    {
        // Three loops joined by bounded queues, so a fast sender is held back by a slow commit or a slow reader, and memory is bounded:
        // read and prepare (side by side), enqueue in order (a backfill counts in the order it is sent), answer in order.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var bounds = new BoundedChannelOptions(Math.Max(1, options.Value.StreamInFlightMax / 2))
        {
            SingleReader = true,
            SingleWriter = true,
        };
        var prepared = Channel.CreateBounded<(string SignupId, Task<ScreeningPipeline.Preparation> Preparation)>(bounds);
        var decided = Channel.CreateBounded<(string SignupId, Task<ScreeningOutcome> Outcome)>(bounds);
        Task[] loops = [ReadAsync(), EnqueueAsync(), AnswerAsync()];
        try
        {
            // The first failure ends all three.
            await foreach (var loop in Task.WhenEach(loops)) await loop;
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ReadAsync()
        {
            var tenant = Tenancy.Of(context);
            while (await requestStream.MoveNext(ending.Token))
            {
                var signup = requestStream.Current.Signup;
                await prepared.Writer.WriteAsync((signup?.SignupId ?? "", pipeline.PrepareAsync(tenant, signup, ending.Token)), ending.Token);
            }
            prepared.Writer.Complete();
        }

        async Task EnqueueAsync()
        {
            var time = TimeSpan.FromMilliseconds(options.Value.StreamTimeMsMax);
            await foreach (var (signupId, preparation) in prepared.Reader.ReadAllAsync(ending.Token))
                await decided.Writer.WriteAsync((signupId, await pipeline.CommitAsync(await preparation, time, waitForRoom: true, ending.Token)), ending.Token);
            decided.Writer.Complete();
        }

        async Task AnswerAsync()
        {
            await foreach (var (signupId, pending) in decided.Reader.ReadAllAsync(ending.Token))
            {
                var answer = new V1.ScreenSignupsResponse { SignupId = signupId };
                var outcome = await pending;
                if (outcome is ScreeningOutcome.Decided done) answer.Decision = DecisionMap.ToContract(done.Decision, done.Replayed);
                else answer.Error = Refusal.ToSignupError(Refusal.Of(outcome));
                await responseStream.WriteAsync(answer, ending.Token);
            }
        }
    }

    public override async Task<V1.GetDecisionResponse> GetDecision(V1.GetDecisionRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var tenant = Tenancy.Of(context);
        var history = await decisions.HistoryAsync(tenant, request.SignupId, context.CancellationToken);
        if (history.Count == 0) throw Refusal.UnknownSignup().ToRpcException();
        var reported = await decisions.OutcomesAsync(tenant, history[0].Ordinal, context.CancellationToken);
        var response = new V1.GetDecisionResponse { Decision = DecisionMap.ToContract(history[^1]) };
        for (var i = 0; i < history.Count; i++)
            response.Changes.Add(DecisionMap.ToContract(history[i], i == 0 ? null : history[i - 1].Body.Verdict, token: ""));
        response.Outcomes.Add(reported.Select(outcome => new V1.Outcome
        {
            Kind = EnumWords.Value<V1.OutcomeKind>(outcome.Kind),
            OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(outcome.OccurredAt),
        }));
        return response;
    }

    public override async Task<V1.ReportOutcomeResponse> ReportOutcome(V1.ReportOutcomeRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var recorded = await outcomes.RecordAsync(
            Tenancy.Of(context),
            request.SignupId,
            request.Kind.Word()!,
            request.OccurredAt?.ToDateTimeOffset() ?? clock.GetUtcNow(),
            request.Note.Length > 0 ? request.Note : null,
            OutcomeRules.Consequence(request.Kind),
            context.CancellationToken);
        return new V1.ReportOutcomeResponse { Recorded = recorded ?? throw Refusal.UnknownSignup().ToRpcException() };
    }

    public override async Task WatchDecisions(V1.WatchDecisionsRequest request, IServerStreamWriter<V1.WatchDecisionsResponse> responseStream, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var tenant = Tenancy.Of(context);
        var token = request.After;
        var lastWrite = clock.GetTimestamp();
        while (!lifetime.ApplicationStopping.IsCancellationRequested)
        {
            var next = changed.Next(ChangeTopic.Decisions);
            var changes = await ChangesAsync(tenant, token, request.ChangesOnly, context.CancellationToken);
            foreach (var change in changes)
            {
                var previous = change.PreviousVerdict is { } verdict ? (Core.Decisions.Verdict?)verdict : null;
                token = change.Position.ToString();
                await responseStream.WriteAsync(new V1.WatchDecisionsResponse { Change = DecisionMap.ToContract(change.Decision, previous, token) }, context.CancellationToken);
                lastWrite = clock.GetTimestamp();
            }
            if (changes.Count > 0) continue;
            if (clock.GetElapsedTime(lastWrite) >= WatchHeartbeat)
            {
                await responseStream.WriteAsync(new V1.WatchDecisionsResponse(), context.CancellationToken);
                lastWrite = clock.GetTimestamp();
            }
            await changed.WaitAsync(next, WatchPoll, context.CancellationToken);
        }
        throw Refusal.Stopping().ToRpcException();
    }

    private async Task<IReadOnlyList<StreamedDecision>> ChangesAsync(string tenant, string after, bool changesOnly, CancellationToken cancellation)
    {
        try
        {
            return await decisions.ChangesAsync(tenant, after, changesOnly, cancellation);
        }
        catch (FormatException)
        {
            throw Refusal.Invalid([new FieldViolation("after", ViolationCode.InvalidToken, "A token that this service gave.")]).ToRpcException();
        }
    }

    private static void Demand(IReadOnlyList<FieldViolation> violations)
    {
        if (violations.Count > 0) throw Refusal.Invalid(violations).ToRpcException();
    }

    /// <summary>Until shortly before the caller stops listening, so that it hears why.</summary>
    private TimeSpan TimeLeft(ServerCallContext context)
    {
        if (context.Deadline == DateTime.MaxValue) return TimeSpan.MaxValue;
        var left = context.Deadline - clock.GetUtcNow().UtcDateTime;
        if (left <= TimeSpan.Zero) return TimeSpan.Zero;
        return left - (left / 10 < AnswerTimeMax ? left / 10 : AnswerTimeMax);
    }
}
