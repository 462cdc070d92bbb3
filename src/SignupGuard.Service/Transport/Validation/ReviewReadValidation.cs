using FluentValidation;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Reviews;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds of what reviewers ask to read. Filters and page tokens are read where they are used.</summary>
internal static class ReviewReadValidation
{
    public const int PageSizeMax = 500;

    /// <summary>Typed by people: with spaces and hyphens.</summary>
    private const int OutwardCodeCharactersMax = 64;

    private const int TokenCharactersMax = 512;
    private const int ClusterMembersMax = 10_000;

    public static IReadOnlyList<FieldViolation> Check(ListCasesRequest request) => RequestValidation.Check(List, request, "");

    public static IReadOnlyList<FieldViolation> Check(CountCasesRequest request) => RequestValidation.Check(Count, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetCaseRequest request) => RequestValidation.Check(Case, request, "");

    public static IReadOnlyList<FieldViolation> Check(ListNotesRequest request) => RequestValidation.Check(Notes, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetSignupRequest request) => RequestValidation.Check(Signup, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetClusterRequest request) => RequestValidation.Check(Cluster, request, "");

    public static IReadOnlyList<FieldViolation> Check(SearchSignupsRequest request) => RequestValidation.Check(Search, request, "");

    public static IReadOnlyList<FieldViolation> Check(ExportCasesRequest request) => RequestValidation.Check(CaseExport, request, "");

    public static IReadOnlyList<FieldViolation> Check(ExportSignupsRequest request) => RequestValidation.Check(SignupExport, request, "");

    public static IReadOnlyList<FieldViolation> Check(ListExemptionsRequest request) => RequestValidation.Check(Exemptions, request, "");

    public static IReadOnlyList<FieldViolation> Check(ReviewStatsRequest request) => RequestValidation.Check(Stats, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetOverviewRequest request) => RequestValidation.Check(Overview, request, "");

    private static readonly Bounds<SearchSignupsRequest> Search = new(v =>
    {
        v.RuleFor(request => request.Filter).Text(ReviewFilter.LengthMax);
        v.RuleFor(request => request.Order).Known();
        v.RuleFor(request => request.PageSize).PageSize(PageSizeMax);
        v.RuleFor(request => request.PageToken).Text(TokenCharactersMax);
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static readonly Bounds<ExportCasesRequest> CaseExport = new(v =>
    {
        v.RuleFor(request => request.Filter).Text(ReviewFilter.LengthMax);
        v.RuleForEach(request => request.States).Required().Known();
        v.RuleFor(request => request.Format).Required().Known();
    });

    private static readonly Bounds<ExportSignupsRequest> SignupExport = new(v =>
    {
        v.RuleFor(request => request.Filter).Text(ReviewFilter.LengthMax);
        v.RuleFor(request => request.Format).Required().Known();
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static readonly Bounds<ListExemptionsRequest> Exemptions = new(v =>
    {
        v.RuleFor(request => request.PageSize).PageSize(PageSizeMax);
        v.RuleFor(request => request.PageToken).Form(PageToken.IsToken, ViolationCode.InvalidToken, "A token that this service gave.");
    });

    private static readonly Bounds<ReviewStatsRequest> Stats = new(v =>
    {
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static readonly Bounds<GetOverviewRequest> Overview = new(v =>
    {
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static readonly Bounds<ListCasesRequest> List = new(v =>
    {
        v.RuleFor(request => request.Filter).Text(ReviewFilter.LengthMax);
        v.RuleForEach(request => request.States).Required().Known();
        v.RuleFor(request => request.Order).Known();
        v.RuleFor(request => request.PageSize).PageSize(PageSizeMax);
        v.RuleFor(request => request.PageToken).Text(TokenCharactersMax);
        v.RuleFor(request => request.ClaimedBy).Text(Storage.Audit.AuditEntry.ActorCharactersMax);
    });

    private static readonly Bounds<CountCasesRequest> Count = new(v =>
    {
        v.RuleFor(request => request.Filter).Text(ReviewFilter.LengthMax);
    });

    private static readonly Bounds<GetCaseRequest> Case = new(v =>
    {
        v.RuleFor(request => request.CaseId).Custom((_, context) =>
        {
            var request = context.InstanceToValidate;
            var given = new[] { request.CaseId, request.OutwardCode, request.SignupId }.Count(text => text.Length > 0);
            if (given != 1) Rules.Fail(context, context.PropertyPath, given == 0 ? ViolationCode.Required : ViolationCode.InvalidValue, "One of case_id, outward_code and signup_id.");
        });
        v.RuleFor(request => request.CaseId).Uuid();
        v.RuleFor(request => request.OutwardCode).Text(OutwardCodeCharactersMax);
        v.RuleFor(request => request.SignupId).Text(SignupValidator.SignupIdCharactersMax);
    });

    private static readonly Bounds<ListNotesRequest> Notes = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
    });

    private static readonly Bounds<GetSignupRequest> Signup = new(v =>
    {
        v.RuleFor(request => request.SignupId).Required().Text(SignupValidator.SignupIdCharactersMax);
    });

    private static readonly Bounds<GetClusterRequest> Cluster = new(v =>
    {
        v.RuleFor(request => request.ClusterId).Custom((cluster, context) =>
        {
            if (cluster < 1) Rules.Fail(context, context.PropertyPath, cluster == 0 ? ViolationCode.Required : ViolationCode.OutOfRange, "A network, from 1.");
        });
        v.RuleFor(request => request.MembersMax).Within(1, ClusterMembersMax, request => request.MembersMax != 0);
    });
}
