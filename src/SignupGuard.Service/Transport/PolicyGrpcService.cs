using System.Threading.Channels;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Policies;
using SignupGuard.Service.Backtests;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Policies;

namespace SignupGuard.Service.Transport;

/// <summary>The contract's PolicyService, over gRPC and as JSON over HTTP. Translates; decides nothing.</summary>
internal sealed class PolicyGrpcService(
    PolicyStore policies, ShadowStore shadows, AuditLog audit, ActivePolicy active, BacktestRun backtests, IOptions<PolicyOptions> options, TimeProvider clock)
    : V1.PolicyService.PolicyServiceBase
{
    public override async Task<V1.ListPoliciesResponse> ListPolicies(V1.ListPoliciesRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var size = PageToken.Size(request.PageSize);
        var states = request.States.Count > 0 ? request.States.Select(PolicyMap.ToCore).ToList() : null;
        var found = await policies.ListAsync(PageToken.Read(request.PageToken) ?? long.MaxValue, states, size + 1, context.CancellationToken);
        var (page, next) = PageToken.Cut(found, size, policy => policy.Version);
        var backtests = (await policies.BacktestsAsync([.. found.Where(policy => policy.BacktestHash is not null).Select(policy => policy.Version)], context.CancellationToken))
            .ToDictionary(backtest => backtest.Version);
        var response = new V1.ListPoliciesResponse { NextPageToken = next };
        response.Policies.Add(page.Select(policy => PolicyMap.ToContract(policy, backtests.GetValueOrDefault(policy.Version))));
        return response;
    }

    public override async Task<V1.GetPolicyResponse> GetPolicy(V1.GetPolicyRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var stored = await GetAsync(request.Version, context.CancellationToken);
        var response = new V1.GetPolicyResponse
        {
            Policy = await SummaryAsync(stored, context.CancellationToken),
            Yaml = stored.Yaml,
            Damaged = PolicyStore.IsDamaged(stored),
        };
        response.Issues.Add(PolicyStore.Read(stored).Issues.Select(PolicyMap.ToContract));
        response.Activations.Add((await policies.ActivationsAsync(stored.Version, context.CancellationToken)).Select(PolicyMap.ToContract));
        return response;
    }

    public override async Task<V1.CreateDraftResponse> CreateDraft(V1.CreateDraftRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        var change = request.HasYaml
            ? await policies.CreateDraftAsync(request.Yaml, Note(request.Note), actor, Now, context.CancellationToken)
            : await policies.CreateDraftAsync(request.FromVersion, Note(request.Note), actor, Now, context.CancellationToken);
        var response = new V1.CreateDraftResponse { Policy = await SummaryAsync(change, context.CancellationToken) };
        response.Issues.Add(change.Reading!.Issues.Select(PolicyMap.ToContract));
        return response;
    }

    public override async Task<V1.UpdateDraftResponse> UpdateDraft(V1.UpdateDraftRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        var change = await policies.UpdateDraftAsync(
            request.Version,
            PolicyMap.Revision(request.Etag)!.Value,
            request.Yaml,
            Note(request.Note),
            request.BaseVersion == 0 ? null : request.BaseVersion,
            actor,
            Now,
            context.CancellationToken);
        var response = new V1.UpdateDraftResponse { Policy = await SummaryAsync(change, context.CancellationToken) };
        response.Issues.Add(change.Reading!.Issues.Select(PolicyMap.ToContract));
        return response;
    }

    public override Task<V1.ValidatePolicyResponse> ValidatePolicy(V1.ValidatePolicyRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var reading = PolicyReader.Read(request.Yaml, version: 0);
        var response = new V1.ValidatePolicyResponse
        {
            Name = reading.Policy?.Name ?? "",
            Rules = reading.Policy?.Rules.Count ?? 0,
            LinkageRules = reading.Policy?.Linkage.Rules.Count ?? 0,
        };
        response.Issues.Add(reading.Issues.Select(PolicyMap.ToContract));
        return Task.FromResult(response);
    }

    public override async Task<V1.DiffPoliciesResponse> DiffPolicies(V1.DiffPoliciesRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var from = await DocumentAsync(request.HasFromYaml ? request.FromYaml : null, request.FromVersion, context.CancellationToken);
        var to = await DocumentAsync(request.HasToYaml ? request.ToYaml : null, request.ToVersion, context.CancellationToken);
        var response = new V1.DiffPoliciesResponse();
        response.Differences.Add(PolicyDiff.Between(from, to).Select(PolicyMap.ToContract));
        return response;
    }

    public override async Task BacktestPolicy(V1.BacktestPolicyRequest request, IServerStreamWriter<V1.BacktestPolicyResponse> responseStream, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        var stored = await GetAsync(request.Version, context.CancellationToken);
        var reading = PolicyStore.Read(stored);
        if (reading.Policy is not { } candidate) throw PolicyRefusals.Invalid(Code.FailedPrecondition, reading.Issues).ToRpcException();
        var window = new BacktestWindow(request.From?.ToDateTimeOffset(), request.Until?.ToDateTimeOffset());
        if (window.From >= window.Until) Demand([new FieldViolation("until", ViolationCode.InvalidValue, "After from.")]);

        // Progress is told from the run's thread; one message at a time goes out, and a slow reader sees fewer.
        var told = Channel.CreateBounded<BacktestProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var running = RunAsync();
        await foreach (var progress in told.Reader.ReadAllAsync(context.CancellationToken))
            await responseStream.WriteAsync(new V1.BacktestPolicyResponse { Progress = BacktestMap.ToContract(progress) }, context.CancellationToken);
        var report = await running switch
        {
            BacktestOutcome.Finished finished => BacktestMap.ToContract(finished.Report, stored.ContentHash, window),
            BacktestOutcome.Busy => throw PolicyRefusals.BacktestBusy().ToRpcException(),
            BacktestOutcome.TooMany many => throw PolicyRefusals.BacktestTooMany(many.Signups, many.Max).ToRpcException(),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is no outcome of a backtest."),
        };
        // Only what ran over all that is stored speaks for a version, and only a draft's is asked for.
        if (window is { From: null, Until: null } && stored.State is not (PolicyState.Active or PolicyState.Superseded))
        {
            var change = await policies.RecordBacktestAsync(stored.Version, stored.ContentHash, JsonFormatter.Default.Format(report), actor, Now, context.CancellationToken);
            if (change.Refusal is { } refusal) throw PolicyRefusals.Of(refusal).ToRpcException();
        }
        await responseStream.WriteAsync(new V1.BacktestPolicyResponse { Report = report }, context.CancellationToken);

        async Task<BacktestOutcome> RunAsync()
        {
            try
            {
                return await backtests.RunAsync(Tenancy.Of(context), active.Snapshot.Policy, candidate, window, new Told(told.Writer), context.CancellationToken);
            }
            finally
            {
                told.Writer.Complete();
            }
        }
    }

    /// <summary>Without a thread of its own: what is told is told at once.</summary>
    private sealed class Told(ChannelWriter<BacktestProgress> writer) : IProgress<BacktestProgress>
    {
        public void Report(BacktestProgress value) => writer.TryWrite(value);
    }

    public override async Task<V1.GetBacktestResponse> GetBacktest(V1.GetBacktestRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        await GetAsync(request.Version, context.CancellationToken);
        return await policies.BacktestReportAsync(request.Version, context.CancellationToken) is { } report
            ? new V1.GetBacktestResponse { Report = JsonParser.Default.Parse<V1.BacktestReport>(report) }
            : throw PolicyRefusals.BacktestUnknown(request.Version).ToRpcException();
    }

    public override async Task<V1.SetShadowResponse> SetShadow(V1.SetShadowRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.SetShadowResponse
        {
            Policy = await SummaryAsync(await policies.SetShadowAsync(request.Version, PolicyMap.Revision(request.Etag)!.Value, Note(request.Note), actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.ClearShadowResponse> ClearShadow(V1.ClearShadowRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.ClearShadowResponse
        {
            Policy = await SummaryAsync(await policies.ClearShadowAsync(request.Version, PolicyMap.Revision(request.Etag)!.Value, Note(request.Note), actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.RequestPublishResponse> RequestPublish(V1.RequestPublishRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.RequestPublishResponse
        {
            Policy = await SummaryAsync(await policies.RequestPublishAsync(
                request.Version, PolicyMap.Revision(request.Etag)!.Value, options.Value.Requirements, Note(request.Note), actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.ApprovePublishResponse> ApprovePublish(V1.ApprovePublishRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.ApprovePublishResponse
        {
            Policy = await SummaryAsync(await policies.ApprovePublishAsync(
                request.Version, PolicyMap.Revision(request.Etag)!.Value, options.Value.Requirements, Note(request.Note), actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.RejectPublishResponse> RejectPublish(V1.RejectPublishRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.RejectPublishResponse
        {
            Policy = await SummaryAsync(await policies.RejectPublishAsync(request.Version, PolicyMap.Revision(request.Etag)!.Value, request.Reason, actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.RollbackResponse> Rollback(V1.RollbackRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(PolicyRequestValidation.Check(request));
        return new V1.RollbackResponse
        {
            Policy = await SummaryAsync(await policies.RollbackAsync(
                request.Version, request.ExpectedActiveVersion == 0 ? null : request.ExpectedActiveVersion, request.Reason, actor, Now, context.CancellationToken), context.CancellationToken),
        };
    }

    public override async Task<V1.ListShadowDifferencesResponse> ListShadowDifferences(V1.ListShadowDifferencesRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var stored = await GetAsync(request.Version, context.CancellationToken);
        var tenant = Tenancy.Of(context);
        var size = PageToken.Size(request.PageSize);
        // The counts first: what they count by then is listed, too.
        var moves = await shadows.MovesAsync(tenant, request.Version, context.CancellationToken);
        var found = await shadows.DifferencesAsync(
            tenant, request.Version, PolicyMap.ToCore(request.From), PolicyMap.ToCore(request.To), PageToken.Read(request.PageToken), size + 1, context.CancellationToken);
        var (page, next) = PageToken.Cut(found, size, entry => entry.Place);
        var response = new V1.ListShadowDifferencesResponse
        {
            Running = stored.ShadowRun is not null,
            NextPageToken = next,
        };
        if (stored.ShadowAt is { } since) response.Since = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(since);
        response.Moves.Add(moves.Select(move => new V1.ShadowMove
        {
            From = DecisionMap.ToContract(move.Active),
            To = DecisionMap.ToContract(move.Shadow),
            Signups = move.Signups,
        }));
        response.Differences.Add(page.Select(entry => PolicyMap.ToContract(entry.Difference)));
        return response;
    }

    public override async Task<V1.ListAuditResponse> ListAudit(V1.ListAuditRequest request, ServerCallContext context)
    {
        Demand(PolicyRequestValidation.Check(request));
        var size = PageToken.Size(request.PageSize);
        var filter = new AuditFilter
        {
            Actor = Note(request.Actor),
            Action = Note(request.Action),
            Subject = Note(request.Subject),
            From = request.From?.ToDateTimeOffset(),
            Until = request.Until?.ToDateTimeOffset(),
        };
        var found = await audit.ListAsync(Tenancy.Of(context), filter, PageToken.Read(request.PageToken), size + 1, context.CancellationToken);
        var (page, next) = PageToken.Cut(found, size, entry => entry.Id);
        var response = new V1.ListAuditResponse { NextPageToken = next };
        response.Entries.Add(page.Select(PolicyMap.ToContract));
        return response;
    }

    /// <summary>As the database keeps it, in whole microseconds: what is answered now is what is read later.</summary>
    private DateTimeOffset Now
    {
        get
        {
            var now = clock.GetUtcNow();
            return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        }
    }

    private async Task<StoredPolicy> GetAsync(long version, CancellationToken cancellation) =>
        await policies.GetAsync(version, cancellation) ?? throw PolicyRefusals.Unknown(version).ToRpcException();

    private async Task<PolicyDocument> DocumentAsync(string? yaml, long version, CancellationToken cancellation)
    {
        var text = yaml ?? (await GetAsync(version, cancellation)).Yaml;
        return PolicyReader.Parse(text, out var problem) ?? throw PolicyRefusals.Invalid(yaml is null ? Code.FailedPrecondition : Code.InvalidArgument, [problem!]).ToRpcException();
    }

    private Task<V1.PolicySummary> SummaryAsync(PolicyChange change, CancellationToken cancellation) =>
        change.Refusal is { } refusal ? throw PolicyRefusals.Of(refusal).ToRpcException() : SummaryAsync(change.Policy!, cancellation);

    private async Task<V1.PolicySummary> SummaryAsync(StoredPolicy stored, CancellationToken cancellation) =>
        PolicyMap.ToContract(stored, stored.BacktestHash is null ? null : (await policies.BacktestsAsync([stored.Version], cancellation)).SingleOrDefault());

    private static string? Note(string text) => text.Length > 0 ? text : null;

    private static void Demand(IReadOnlyList<FieldViolation> violations)
    {
        if (violations.Count > 0) throw Refusal.Invalid(violations).ToRpcException();
    }
}
