using FluentValidation;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Policies;
using SignupGuard.V1;
using AuditEntry = SignupGuard.Storage.Audit.AuditEntry;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds of PolicyService's requests.</summary>
internal static class PolicyRequestValidation
{
    private const int EtagCharactersMax = 32;
    private const int TokenCharactersMax = 32;

    public static IReadOnlyList<FieldViolation> Check(ListPoliciesRequest request) => RequestValidation.Check(List, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetPolicyRequest request) => RequestValidation.Check(Get, request, "");

    public static IReadOnlyList<FieldViolation> Check(CreateDraftRequest request) => RequestValidation.Check(Create, request, "");

    public static IReadOnlyList<FieldViolation> Check(UpdateDraftRequest request) => RequestValidation.Check(Update, request, "");

    public static IReadOnlyList<FieldViolation> Check(ValidatePolicyRequest request) => RequestValidation.Check(Validate, request, "");

    public static IReadOnlyList<FieldViolation> Check(DiffPoliciesRequest request) => RequestValidation.Check(Diff, request, "");

    public static IReadOnlyList<FieldViolation> Check(BacktestPolicyRequest request) => RequestValidation.Check(Backtest, request, "");

    public static IReadOnlyList<FieldViolation> Check(GetBacktestRequest request) => RequestValidation.Check(GetTheBacktest, request, "");

    public static IReadOnlyList<FieldViolation> Check(SetShadowRequest request) => RequestValidation.Check(SetShadow, request, "");

    public static IReadOnlyList<FieldViolation> Check(ClearShadowRequest request) => RequestValidation.Check(ClearShadow, request, "");

    public static IReadOnlyList<FieldViolation> Check(RequestPublishRequest request) => RequestValidation.Check(RequestPublish, request, "");

    public static IReadOnlyList<FieldViolation> Check(ApprovePublishRequest request) => RequestValidation.Check(Approve, request, "");

    public static IReadOnlyList<FieldViolation> Check(RejectPublishRequest request) => RequestValidation.Check(Reject, request, "");

    public static IReadOnlyList<FieldViolation> Check(RollbackRequest request) => RequestValidation.Check(Rollback, request, "");

    public static IReadOnlyList<FieldViolation> Check(ListShadowDifferencesRequest request) => RequestValidation.Check(Differences, request, "");

    public static IReadOnlyList<FieldViolation> Check(ListAuditRequest request) => RequestValidation.Check(Audit, request, "");

    private static readonly Bounds<ListPoliciesRequest> List = new(v =>
    {
        v.RuleFor(request => request.PageSize).PageSize(Transport.PageToken.SizeMax);
        v.RuleFor(request => request.PageToken).PageToken();
        v.RuleForEach(request => request.States).Required().Known();
    });

    private static readonly Bounds<GetPolicyRequest> Get = new(v =>
    {
        v.RuleFor(request => request.Version).NotNegative();
    });

    private static readonly Bounds<CreateDraftRequest> Create = new(v =>
    {
        v.RuleFor(request => request.Yaml).Custom((yaml, context) =>
        {
            if (context.InstanceToValidate.SourceCase == CreateDraftRequest.SourceOneofCase.None)
                Rules.Fail(context, context.PropertyPath, ViolationCode.Required, "A document, or the version whose document to copy.");
        });
        v.RuleFor(request => request.Yaml).Document().When(request => request.HasYaml);
        v.RuleFor(request => request.FromVersion).Positive().When(request => request.HasFromVersion);
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<UpdateDraftRequest> Update = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Yaml).Document();
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
        v.RuleFor(request => request.BaseVersion).NotNegative();
    });

    private static readonly Bounds<ValidatePolicyRequest> Validate = new(v =>
    {
        v.RuleFor(request => request.Yaml).Text(PolicyReader.DocumentCharactersMax);
    });

    private static readonly Bounds<DiffPoliciesRequest> Diff = new(v =>
    {
        v.RuleFor(request => request.FromVersion).Custom((_, context) =>
        {
            if (context.InstanceToValidate.FromCase == DiffPoliciesRequest.FromOneofCase.None) Rules.Fail(context, context.PropertyPath, ViolationCode.Required, "A version or a document.");
        });
        v.RuleFor(request => request.ToVersion).Custom((_, context) =>
        {
            if (context.InstanceToValidate.ToCase == DiffPoliciesRequest.ToOneofCase.None) Rules.Fail(context, context.PropertyPath, ViolationCode.Required, "A version or a document.");
        });
        v.RuleFor(request => request.FromVersion).NotNegative();
        v.RuleFor(request => request.ToVersion).NotNegative();
        v.RuleFor(request => request.FromYaml).Document().When(request => request.HasFromYaml);
        v.RuleFor(request => request.ToYaml).Document().When(request => request.HasToYaml);
    });

    private static readonly Bounds<BacktestPolicyRequest> Backtest = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static readonly Bounds<GetBacktestRequest> GetTheBacktest = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
    });

    private static readonly Bounds<SetShadowRequest> SetShadow = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<ClearShadowRequest> ClearShadow = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<RequestPublishRequest> RequestPublish = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<ApprovePublishRequest> Approve = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Note).Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<RejectPublishRequest> Reject = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Reason).Required().Text(AuditEntry.NoteCharactersMax);
    });

    private static readonly Bounds<RollbackRequest> Rollback = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.Reason).Required().Text(AuditEntry.NoteCharactersMax);
        v.RuleFor(request => request.ExpectedActiveVersion).NotNegative();
    });

    private static readonly Bounds<ListShadowDifferencesRequest> Differences = new(v =>
    {
        v.RuleFor(request => request.Version).Positive();
        v.RuleFor(request => request.PageSize).PageSize(Transport.PageToken.SizeMax);
        v.RuleFor(request => request.PageToken).PageToken();
        v.RuleFor(request => request.From).Known();
        v.RuleFor(request => request.To).Known();
    });

    private static readonly Bounds<ListAuditRequest> Audit = new(v =>
    {
        v.RuleFor(request => request.PageSize).PageSize(Transport.PageToken.SizeMax);
        v.RuleFor(request => request.PageToken).PageToken();
        v.RuleFor(request => request.Subject).Text(AuditEntry.SubjectCharactersMax);
        v.RuleFor(request => request.Action).Text(AuditEntry.ActionCharactersMax);
        v.RuleFor(request => request.Actor).Text(AuditEntry.ActorCharactersMax);
        v.RuleFor(request => request.From).Time();
        v.RuleFor(request => request.Until).Time();
    });

    private static IRuleBuilderOptionsConditions<T, string> Document<T>(this IRuleBuilder<T, string> rule) => rule.Required().Text(PolicyReader.DocumentCharactersMax);

    private static IRuleBuilderOptionsConditions<T, string> Etag<T>(this IRuleBuilder<T, string> rule) =>
        rule.Required().Form(text => text.Length <= EtagCharactersMax && PolicyMap.Revision(text) is not null, ViolationCode.InvalidToken, "An etag that this service gave.");

    private static IRuleBuilderOptionsConditions<T, string> PageToken<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(text => text.Length <= TokenCharactersMax && Transport.PageToken.IsToken(text), ViolationCode.InvalidToken, "A token that this service gave.");

    private static IRuleBuilderOptionsConditions<T, long> Positive<T>(this IRuleBuilder<T, long> rule) => rule.Custom((version, context) =>
    {
        if (version < 1) Rules.Fail(context, context.PropertyPath, version == 0 ? ViolationCode.Required : ViolationCode.OutOfRange, "A version, from 1.");
    });

    private static IRuleBuilderOptionsConditions<T, long> NotNegative<T>(this IRuleBuilder<T, long> rule) => rule.Custom((version, context) =>
    {
        if (version < 0) Rules.Fail(context, context.PropertyPath, ViolationCode.OutOfRange, "A version, from 1.");
    });
}
