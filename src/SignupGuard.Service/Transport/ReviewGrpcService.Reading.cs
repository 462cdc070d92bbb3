using System.Globalization;
using Grpc.Core;
using SignupGuard.Core.Reviews;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>What reviewers read.</summary>
internal sealed partial class ReviewGrpcService
{
    private const int ClusterMembersDefault = 2_000;

    public override async Task<V1.ListCasesResponse> ListCases(V1.ListCasesRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        var query = new CaseQuery
        {
            States = request.States.Count > 0 ? [.. request.States.Distinct().Select(ReviewMap.ToCore).Order()] : [CaseState.Open, CaseState.Escalated],
            Order = ReviewReadMap.ToCore(request.Order),
            ClaimedBy = request.ClaimedBy.Length > 0 ? request.ClaimedBy : null,
        };
        // A token is a place in the answer to one question.
        var question = string.Join('\n', string.Join(',', query.States), query.Order, query.ClaimedBy, request.Filter);
        var page = await reading.ListAsync(Tenancy.Of(context), query, filter, Place(request.PageToken, question), PageToken.Size(request.PageSize), context.CancellationToken);
        var response = new V1.ListCasesResponse { NextPageToken = page.Next is { } next ? CaseToken.Write(next, question) : "" };
        var now = reading.Now;
        response.Cases.Add(page.Items.Select(stored => ReviewMap.ToContract(stored, now)));
        return response;
    }

    public override async Task<V1.CountCasesResponse> CountCases(V1.CountCasesRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        if (!filter.IsExact) Demand([new FieldViolation("filter", ViolationCode.InvalidExpression, "To be counted, a filter must be of parts that an index answers (docs/reviews.md): comparisons of such fields with constants.")]);
        var counts = await reading.CountAsync(Tenancy.Of(context), filter, Caller.ActorIfSaid(context), context.CancellationToken);
        var response = new V1.CountCasesResponse
        {
            Open = counts.Open,
            Escalated = counts.Escalated,
            Claimed = counts.Claimed,
            Mine = counts.Mine,
            Appealed = counts.Appealed,
            CountedTo = CaseSearch.CountedMax,
        };
        if (counts.OldestOpenedAt is { } oldest) response.OldestOpenedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(oldest);
        return response;
    }

    public override async Task<V1.GetCaseResponse> GetCase(V1.GetCaseRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var (tenant, cancellation) = (Tenancy.Of(context), context.CancellationToken);
        var stored = request.CaseId.Length > 0 ? await reading.CaseAsync(tenant, Guid.Parse(request.CaseId, CultureInfo.InvariantCulture), cancellation)
            : request.OutwardCode.Length > 0 ? await reading.CaseOfCodeAsync(tenant, request.OutwardCode, cancellation)
            : await reading.CaseOfSignupAsync(tenant, request.SignupId, cancellation);
        return await reading.GetAsync(tenant, stored, cancellation) is { } view ? ReviewReadMap.ToContract(view, reading.Now) : throw ReviewRefusals.UnknownCase().ToRpcException();
    }

    public override async Task<V1.ListNotesResponse> ListNotes(V1.ListNotesRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var (tenant, cancellation) = (Tenancy.Of(context), context.CancellationToken);
        var stored = await reading.CaseAsync(tenant, Guid.Parse(request.CaseId, CultureInfo.InvariantCulture), cancellation) ?? throw ReviewRefusals.UnknownCase().ToRpcException();
        var response = new V1.ListNotesResponse();
        response.Notes.Add((await reading.NotesAsync(tenant, stored.Id, cancellation)).Select(ReviewMap.ToContract));
        return response;
    }

    public override async Task<V1.GetSignupResponse> GetSignup(V1.GetSignupRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        return await reading.SignupAsync(Tenancy.Of(context), request.SignupId, context.CancellationToken) is { } view
            ? new V1.GetSignupResponse { Signup = ReviewReadMap.ToContract(view) }
            : throw ReviewRefusals.UnknownSignup().ToRpcException();
    }

    public override async Task<V1.GetClusterResponse> GetCluster(V1.GetClusterRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var max = request.MembersMax == 0 ? ClusterMembersDefault : request.MembersMax;
        return await reading.ClusterAsync(Tenancy.Of(context), request.ClusterId, max, context.CancellationToken) is { } network
            ? ReviewReadMap.ToContract(network)
            : throw ReviewRefusals.UnknownCluster().ToRpcException();
    }

    /// <exception cref="RpcException">INVALID_ARGUMENT, each with its place and what was probably meant.</exception>
    private ReviewFilter Filter(string source)
    {
        var (filter, issues) = ReviewFilter.Read(source, reading.Context.Environment);
        return filter ?? throw Refusal.Invalid([.. issues.Select(issue => new FieldViolation("filter", ViolationCode.InvalidExpression, issue.ToString()))]).ToRpcException();
    }

    private static CasePosition? Place(string token, string question)
    {
        if (token.Length == 0) return null;
        return CaseToken.Read(token, question)
            ?? throw Refusal.Invalid([new FieldViolation("page_token", ViolationCode.InvalidToken, "A token that this service gave, for the same filter, states and order.")]).ToRpcException();
    }
}
