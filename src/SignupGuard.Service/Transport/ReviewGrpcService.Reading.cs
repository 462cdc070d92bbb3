using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.Core.Reviews;
using SignupGuard.Service.Reviews;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>What reviewers read.</summary>
internal sealed partial class ReviewGrpcService
{
    private const int ClusterMembersDefault = 2_000;

    private static readonly TimeSpan StatsDefault = TimeSpan.FromDays(30);
    private static readonly TimeSpan StatsMax = TimeSpan.FromDays(366);
    private static readonly TimeSpan OverviewDefault = TimeSpan.FromDays(7);
    private static readonly TimeSpan OverviewMax = TimeSpan.FromDays(92);

    public override async Task<V1.ListCasesResponse> ListCases(V1.ListCasesRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        var query = new CaseQuery
        {
            States = States(request.States),
            Order = ReviewReadMap.ToCore(request.Order),
            ClaimedBy = request.ClaimedBy.Length > 0 ? request.ClaimedBy : null,
        };
        // A token is a place in the answer to one question.
        var question = string.Join('\n', string.Join(',', query.States), query.Order, query.ClaimedBy, request.Filter);
        var after = After(request.PageToken, token => SearchToken.ReadCase(token, question));
        var page = await reading.ListAsync(Tenancy.Of(context), query, filter, after, PageToken.Size(request.PageSize), context.CancellationToken);
        var response = new V1.ListCasesResponse { NextPageToken = page.Next is { } next ? SearchToken.Write(next, question) : "" };
        var now = reading.Now;
        response.Cases.Add(page.Items.Select(stored => ReviewMap.ToContract(stored, now)));
        return response;
    }

    public override async Task<V1.CountCasesResponse> CountCases(V1.CountCasesRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = ExactFilter(request.Filter, "To be counted");
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
        if (counts.OldestOpenedAt is { } oldest) response.OldestOpenedAt = Timestamp.FromDateTimeOffset(oldest);
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

    public override async Task<V1.SearchSignupsResponse> SearchSignups(V1.SearchSignupsRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        var query = new SignupQuery
        {
            Order = ReviewReadMap.ToCore(request.Order),
            From = request.From?.ToDateTimeOffset(),
            Until = request.Until?.ToDateTimeOffset(),
        };
        var question = string.Join('\n', "signups", query.Order, request.From, request.Until, request.Filter);
        var after = After(request.PageToken, token => SearchToken.ReadSignup(token, question));
        var page = await reading.SearchAsync(Tenancy.Of(context), query, filter, after, PageToken.Size(request.PageSize), context.CancellationToken);
        var response = new V1.SearchSignupsResponse
        {
            NextPageToken = page.Next is { } next ? SearchToken.Write(next, question) : "",
            Examined = page.Examined,
        };
        response.Signups.Add(page.Items.Select(ReviewReadMap.ToContract));
        return response;
    }

    public override async Task ExportCases(V1.ExportCasesRequest request, IServerStreamWriter<V1.ExportCasesResponse> responseStream, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        var query = new CaseQuery
        {
            States = States(request.States),
            Order = CaseOrder.Oldest,
        };
        var pages = reading.AllCasesAsync(Tenancy.Of(context), query, filter, context.CancellationToken);
        await foreach (var piece in new ReviewExport<StoredCase>(ExportColumns.Cases, IsJson(request.Format)).PiecesAsync(pages))
            await responseStream.WriteAsync(new V1.ExportCasesResponse { Data = piece }, context.CancellationToken);
    }

    public override async Task ExportSignups(V1.ExportSignupsRequest request, IServerStreamWriter<V1.ExportSignupsResponse> responseStream, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var filter = Filter(request.Filter);
        var query = new SignupQuery
        {
            Order = SignupOrder.Oldest,
            From = request.From?.ToDateTimeOffset(),
            Until = request.Until?.ToDateTimeOffset(),
        };
        var pages = reading.AllSignupsAsync(Tenancy.Of(context), query, filter, context.CancellationToken);
        await foreach (var piece in new ReviewExport<FoundSignup>(ExportColumns.Signups, IsJson(request.Format)).PiecesAsync(pages))
            await responseStream.WriteAsync(new V1.ExportSignupsResponse { Data = piece }, context.CancellationToken);
    }

    public override async Task<V1.ListExemptionsResponse> ListExemptions(V1.ListExemptionsRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var size = PageToken.Size(request.PageSize);
        var found = await exemptions.ListAsync(Tenancy.Of(context), PageToken.Read(request.PageToken) ?? long.MaxValue, request.Ended, size + 1, context.CancellationToken);
        var (page, next) = PageToken.Cut(found, size, exemption => exemption.Id);
        var response = new V1.ListExemptionsResponse { NextPageToken = next };
        response.Exemptions.Add(page.Select(ReviewReadMap.ToContract));
        return response;
    }

    public override async Task<V1.ReviewStatsResponse> ReviewStats(V1.ReviewStatsRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var (from, until) = Time(request.From, request.Until, StatsDefault, StatsMax);
        return ReviewReadMap.ToContract(await statistics.ReviewsAsync(Tenancy.Of(context), from, until, context.CancellationToken));
    }

    public override async Task<V1.GetOverviewResponse> GetOverview(V1.GetOverviewRequest request, ServerCallContext context)
    {
        Demand(ReviewReadValidation.Check(request));
        var (from, until) = Time(request.From, request.Until, OverviewDefault, OverviewMax);
        return ReviewReadMap.ToContract(await statistics.OverviewAsync(Tenancy.Of(context), from, until, context.CancellationToken));
    }

    private static bool IsJson(V1.ExportFormat format) => format == V1.ExportFormat.JsonLines;

    /// <exception cref="RpcException">INVALID_ARGUMENT, each with its place and what was probably meant.</exception>
    private ReviewFilter Filter(string source)
    {
        var (filter, issues) = ReviewFilter.Read(source, reading.Context.Environment);
        return filter ?? throw Refusal.Invalid([.. issues.Select(issue => new FieldViolation("filter", ViolationCode.InvalidExpression, issue.ToString()))]).ToRpcException();
    }

    /// <summary>A filter that the database answers alone.</summary>
    /// <param name="purpose">What it must be so for, as its refusal begins.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    private ReviewFilter ExactFilter(string source, string purpose)
    {
        var filter = Filter(source);
        if (!filter.IsExact)
            Demand([new FieldViolation("filter", ViolationCode.InvalidExpression, $"{purpose}, a filter must be of parts that an index answers (docs/reviews.md): comparisons of such fields with constants.")]);
        return filter;
    }

    /// <summary>Open and escalated where none are named.</summary>
    private static CaseState[] States(Google.Protobuf.Collections.RepeatedField<V1.CaseState> named) =>
        named.Count > 0 ? [.. named.Distinct().Select(ReviewMap.ToCore).Order()] : [CaseState.Open, CaseState.Escalated];

    private static T? After<T>(string token, Func<string, T?> read)
        where T : struct
    {
        if (token.Length == 0) return null;
        return read(token)
            ?? throw Refusal.Invalid([new FieldViolation("page_token", ViolationCode.InvalidToken, "A token that this service gave, for the same filter and order.")]).ToRpcException();
    }

    /// <summary>The time asked for, or the last days up to now.</summary>
    private (DateTimeOffset From, DateTimeOffset Until) Time(Timestamp? from, Timestamp? until, TimeSpan byDefault, TimeSpan max)
    {
        var end = until?.ToDateTimeOffset() ?? reading.Now;
        var start = from?.ToDateTimeOffset() ?? (end - DateTimeOffset.MinValue > byDefault ? end - byDefault : DateTimeOffset.MinValue);
        if (start >= end) Demand([new FieldViolation("until", ViolationCode.InvalidValue, "After from.")]);
        if (end - start > max) Demand([new FieldViolation("from", ViolationCode.OutOfRange, $"At most {max.TotalDays:N0} days.")]);
        return (start, end);
    }
}
