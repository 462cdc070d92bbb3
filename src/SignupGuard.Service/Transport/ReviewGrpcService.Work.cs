using Google.Protobuf;
using Grpc.Core;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Transport;

/// <summary>What reviewers do.</summary>
internal sealed partial class ReviewGrpcService
{
    public override async Task<V1.ClaimNextResponse> ClaimNext(V1.ClaimNextRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var filter = ExactFilter(request.Filter, "For a queue");
        var states = request.States.Select(ReviewMap.ToCore).Distinct().ToList();
        var claimed = await work.ClaimNextAsync(Tenancy.Of(context), actor, states, filter.Index, request.LeaseSeconds, context.CancellationToken);
        return new V1.ClaimNextResponse { Case = claimed is null ? null : ReviewMap.ToContract(claimed, work.Now) };
    }

    public override async Task<V1.ClaimCaseResponse> ClaimCase(V1.ClaimCaseRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        return new V1.ClaimCaseResponse
        {
            Case = Done(await work.ClaimAsync(Tenancy.Of(context), Guid.Parse(request.CaseId), actor, request.LeaseSeconds, request.TakeOver, context.CancellationToken)),
        };
    }

    public override async Task<V1.ReleaseCaseResponse> ReleaseCase(V1.ReleaseCaseRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        return new V1.ReleaseCaseResponse { Case = Done(await work.ReleaseAsync(Tenancy.Of(context), Guid.Parse(request.CaseId), actor, context.CancellationToken)) };
    }

    public override async Task<V1.AddNoteResponse> AddNote(V1.AddNoteRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var note = await work.AddNoteAsync(Tenancy.Of(context), Guid.Parse(request.CaseId), actor, request.Text, context.CancellationToken);
        return new V1.AddNoteResponse { Note = ReviewMap.ToContract(note ?? throw ReviewRefusals.Of(new CaseRefusal.Unknown()).ToRpcException()) };
    }

    public override async Task<V1.ResolveCaseResponse> ResolveCase(V1.ResolveCaseRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var decision = new ReviewDecision(actor, ReviewMap.ToCore(request.Resolution), request.Reason, Given(request.Note));
        var resolved = await work.ResolveAsync(Tenancy.Of(context), Guid.Parse(request.CaseId), Read(request.Etag), decision, context.CancellationToken);
        return new V1.ResolveCaseResponse
        {
            Case = Done(resolved.Change),
            Decision = DecisionMap.ToContract(resolved.Decision!),
        };
    }

    public override async Task<V1.EscalateCaseResponse> EscalateCase(V1.EscalateCaseRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        return new V1.EscalateCaseResponse
        {
            Case = Done(await work.EscalateAsync(Tenancy.Of(context), Guid.Parse(request.CaseId), Read(request.Etag), actor, request.Note, context.CancellationToken)),
        };
    }

    public override async Task<V1.OpenAppealResponse> OpenAppeal(V1.OpenAppealRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var appealed = await work.AppealAsync(Tenancy.Of(context), OutwardCode.Read(request.OutwardCode)!, request.Text, actor, context.CancellationToken);
        return new V1.OpenAppealResponse { CaseId = Done(appealed).CaseId };
    }

    public override async Task<V1.RevealSignupResponse> RevealSignup(V1.RevealSignupRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var revealed = await work.RevealAsync(Tenancy.Of(context), request.SignupId, actor, request.Reason, context.CancellationToken) ?? throw ReviewRefusals.UnknownSignup().ToRpcException();
        var response = new V1.RevealSignupResponse { Signup = JsonFormatter.Default.Format(V1.Signup.Parser.ParseFrom(revealed.Signup)) };
        response.Appeals.Add(revealed.Appeals);
        return response;
    }

    public override async Task<V1.PreviewClusterResolutionResponse> PreviewClusterResolution(V1.PreviewClusterResolutionRequest request, ServerCallContext context)
    {
        Demand(ReviewWorkValidation.Check(request));
        var preview = await work.PreviewAsync(Tenancy.Of(context), request.ClusterId, ReviewMap.ToCore(request.Resolution), request.SignupIds, context.CancellationToken)
            ?? throw ReviewRefusals.UnknownCluster().ToRpcException();
        return new V1.PreviewClusterResolutionResponse
        {
            Etag = preview.Mark.ToString(),
            Members = preview.Members,
            AllowedNow = preview.Allowed,
            ReviewedNow = preview.Reviewed,
            DeniedNow = preview.Denied,
            DecidedByPeople = preview.DecidedByPeople,
            KnownGood = preview.KnownGood,
            KnownBad = preview.KnownBad,
            Cases = preview.Cases,
        };
    }

    public override async Task ResolveCluster(V1.ResolveClusterRequest request, IServerStreamWriter<V1.ResolveClusterResponse> responseStream, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var tenant = Tenancy.Of(context);
        var progress = Done(request.ResolutionId.Length > 0
            ? await work.GoOnAsync(tenant, request.ClusterId, Guid.Parse(request.ResolutionId), actor, context.CancellationToken)
            : await work.StartResolutionAsync(
                tenant,
                request.ClusterId,
                ClusterMark.Parse(request.Etag)!.Value,
                new ReviewDecision(actor, ReviewMap.ToCore(request.Resolution), request.Reason, Given(request.Note)),
                request.SignupIds,
                request.OverridePeople,
                context.CancellationToken));
        // Before the first member is decided, too: whoever is cut off then knows what to go on with.
        await responseStream.WriteAsync(ReviewMap.ToContract(progress), context.CancellationToken);
        while (!progress.Finished)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            if (work.Stopping) throw ReviewRefusals.ResolutionStops(progress.Id).ToRpcException();
            progress = Done(await work.ResolveNextAsync(tenant, progress.Id));
            await responseStream.WriteAsync(ReviewMap.ToContract(progress), context.CancellationToken);
        }
    }

    public override async Task<V1.SplitClusterResponse> SplitCluster(V1.SplitClusterRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        var taken = await work.SplitAsync(Tenancy.Of(context), request.ClusterId, request.SignupIds, actor, request.Reason, context.CancellationToken);
        return new V1.SplitClusterResponse { TakenOut = taken ?? throw ReviewRefusals.UnknownCluster().ToRpcException() };
    }

    public override async Task<V1.ExemptKeyResponse> ExemptKey(V1.ExemptKeyRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request, work.Now));
        var exemption = await work.ExemptKeyAsync(Tenancy.Of(context), request.KeyRef, request.Reason, actor, request.ExpiresAt.ToDateTimeOffset(), context.CancellationToken);
        return new V1.ExemptKeyResponse { Exemption = ReviewReadMap.ToContract(exemption ?? throw ReviewRefusals.UnknownKey().ToRpcException()) };
    }

    public override async Task<V1.EndExemptionResponse> EndExemption(V1.EndExemptionRequest request, ServerCallContext context)
    {
        var actor = Caller.Actor(context);
        Demand(ReviewWorkValidation.Check(request));
        return await work.EndExemptionAsync(Tenancy.Of(context), request.KeyRef, actor, context.CancellationToken) ? new V1.EndExemptionResponse() : throw ReviewRefusals.UnknownKey().ToRpcException();
    }

    private static NetworkProgress Done(NetworkStep step) => step.Refusal is { } refusal ? throw ReviewRefusals.Of(refusal).ToRpcException() : step.Progress!;

    private static string? Given(string text) => text.Length > 0 ? text : null;

    private static long? Read(string etag) => etag.Length > 0 ? ReviewMap.Revision(etag) : null;

    private V1.Case Done(CaseChange change) =>
        change.Refusal is { } refusal ? throw ReviewRefusals.Of(refusal).ToRpcException() : ReviewMap.ToContract(change.Case!, work.Now);
}
