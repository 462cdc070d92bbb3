using Grpc.Core;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Reviews;

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

    private V1.Case Done(CaseChange change) =>
        change.Refusal is { } refusal ? throw ReviewRefusals.Of(refusal).ToRpcException() : ReviewMap.ToContract(change.Case!, work.Now);
}
