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
        var states = request.States.Select(ReviewMap.ToCore).Distinct().ToList();
        var claimed = await work.ClaimNextAsync(Tenancy.Of(context), actor, states, request.LeaseSeconds, context.CancellationToken);
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

    private static string? Given(string text) => text.Length > 0 ? text : null;

    private static long? Read(string etag) => etag.Length > 0 ? ReviewMap.Revision(etag) : null;

    private V1.Case Done(CaseChange change) =>
        change.Refusal is { } refusal ? throw ReviewRefusals.Of(refusal).ToRpcException() : ReviewMap.ToContract(change.Case!, work.Now);
}
