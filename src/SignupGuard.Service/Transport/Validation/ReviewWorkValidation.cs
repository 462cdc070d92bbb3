using FluentValidation;
using Google.Protobuf.Collections;
using SignupGuard.Service.Reviews;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds of what reviewers ask to be done.</summary>
internal static class ReviewWorkValidation
{
    private const int NoteCharactersMax = 4_000;
    private const int ReasonCharactersMax = 64;
    private const int RevealReasonCharactersMax = 1_000;
    private const int EtagCharactersMax = 32;
    private const int SignupIdsMax = 10_000;
    private const int CorrectionReasonCharactersMax = 1_024;
    private const int ExemptionYearsMax = 10;
    private const int KeyReferenceDigits = 12;

    public static IReadOnlyList<FieldViolation> Check(ClaimNextRequest request) => RequestValidation.Check(ClaimNext, request, "");

    public static IReadOnlyList<FieldViolation> Check(ClaimCaseRequest request) => RequestValidation.Check(Claim, request, "");

    public static IReadOnlyList<FieldViolation> Check(ReleaseCaseRequest request) => RequestValidation.Check(Release, request, "");

    public static IReadOnlyList<FieldViolation> Check(AddNoteRequest request) => RequestValidation.Check(AddNote, request, "");

    public static IReadOnlyList<FieldViolation> Check(ResolveCaseRequest request) => RequestValidation.Check(Resolve, request, "");

    public static IReadOnlyList<FieldViolation> Check(EscalateCaseRequest request) => RequestValidation.Check(Escalate, request, "");

    public static IReadOnlyList<FieldViolation> Check(OpenAppealRequest request) => RequestValidation.Check(OpenAppeal, request, "");

    public static IReadOnlyList<FieldViolation> Check(RevealSignupRequest request) => RequestValidation.Check(Reveal, request, "");

    public static IReadOnlyList<FieldViolation> Check(PreviewClusterResolutionRequest request) => RequestValidation.Check(Preview, request, "");

    public static IReadOnlyList<FieldViolation> Check(ResolveClusterRequest request) => RequestValidation.Check(request.ResolutionId.Length == 0 ? ResolveCluster : GoOn, request, "");

    public static IReadOnlyList<FieldViolation> Check(SplitClusterRequest request) => RequestValidation.Check(Split, request, "");

    public static IReadOnlyList<FieldViolation> Check(ExemptKeyRequest request, DateTimeOffset now)
    {
        var violations = RequestValidation.Check(Exempt, request, "");
        if (request.ExpiresAt is not { } expires || violations.Any(violation => violation.Field == "expires_at")) return violations;
        return expires.ToDateTimeOffset() > now && expires.ToDateTimeOffset() <= now.AddYears(ExemptionYearsMax)
            ? violations
            : [.. violations, new FieldViolation("expires_at", ViolationCode.OutOfRange, $"In the future, and at most {ExemptionYearsMax} years ahead.")];
    }

    public static IReadOnlyList<FieldViolation> Check(EndExemptionRequest request) => RequestValidation.Check(EndExemption, request, "");

    private static readonly Bounds<ClaimNextRequest> ClaimNext = new(v =>
    {
        v.RuleForEach(request => request.States).Required().Known();
        v.RuleForEach(request => request.States).Custom((state, context) =>
        {
            if (state is V1.CaseState.Resolved or V1.CaseState.Denied) Rules.Fail(context, context.PropertyPath, ViolationCode.InvalidValue, "Only what waits can be claimed: open, escalated.");
        });
        v.RuleFor(request => request.LeaseSeconds).Within(CaseWork.LeaseSecondsMin, CaseWork.LeaseSecondsMax, request => request.LeaseSeconds != 0);
    });

    private static readonly Bounds<ClaimCaseRequest> Claim = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
        v.RuleFor(request => request.LeaseSeconds).Within(CaseWork.LeaseSecondsMin, CaseWork.LeaseSecondsMax, request => request.LeaseSeconds != 0);
    });

    private static readonly Bounds<ReleaseCaseRequest> Release = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
    });

    private static readonly Bounds<AddNoteRequest> AddNote = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
        v.RuleFor(request => request.Text).Required().Text(NoteCharactersMax);
    });

    private static readonly Bounds<ResolveCaseRequest> Resolve = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Resolution).Required().Known();
        v.RuleFor(request => request.Reason).Required().ReasonCode();
        v.RuleFor(request => request.Note).Text(NoteCharactersMax);
    });

    private static readonly Bounds<EscalateCaseRequest> Escalate = new(v =>
    {
        v.RuleFor(request => request.CaseId).Required().Uuid();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Note).Required().Text(NoteCharactersMax);
    });

    private static readonly Bounds<OpenAppealRequest> OpenAppeal = new(v =>
    {
        v.RuleFor(request => request.OutwardCode).Required().Form(
            text => OutwardCode.Read(text) is not null, ViolationCode.InvalidFormat, $"{OutwardCode.Length} letters and digits, as a decision's outward_code has them.");
        v.RuleFor(request => request.Text).Text(NoteCharactersMax);
    });

    private static readonly Bounds<RevealSignupRequest> Reveal = new(v =>
    {
        v.RuleFor(request => request.SignupId).Required().Text(SignupValidator.SignupIdCharactersMax);
        v.RuleFor(request => request.Reason).Required().Text(RevealReasonCharactersMax);
    });

    private static readonly Bounds<PreviewClusterResolutionRequest> Preview = new(v =>
    {
        v.RuleFor(request => request.ClusterId).Cluster();
        v.RuleFor(request => request.Resolution).Required().Known();
        v.RuleFor(request => request.SignupIds).AtMost(SignupIdsMax);
        v.RuleForEach(request => request.SignupIds).Required().Text(SignupValidator.SignupIdCharactersMax);
    });

    private static readonly Bounds<ResolveClusterRequest> ResolveCluster = new(v =>
    {
        v.RuleFor(request => request.ClusterId).Cluster();
        v.RuleFor(request => request.Etag).Required().Form(text => ClusterMark.Parse(text) is not null, ViolationCode.InvalidToken, "An etag of a preview, or of the network.");
        v.RuleFor(request => request.Resolution).Required().Known();
        v.RuleFor(request => request.Reason).Required().ReasonCode();
        v.RuleFor(request => request.Note).Text(NoteCharactersMax);
        v.RuleFor(request => request.SignupIds).AtMost(SignupIdsMax);
        v.RuleForEach(request => request.SignupIds).Required().Text(SignupValidator.SignupIdCharactersMax);
    });

    /// <summary>Of a decision that stopped: what is to be decided is stored.</summary>
    private static readonly Bounds<ResolveClusterRequest> GoOn = new(v =>
    {
        v.RuleFor(request => request.ClusterId).Cluster();
        v.RuleFor(request => request.ResolutionId).Required().Uuid();
        v.RuleFor(request => request.Etag).Unset(etag => etag.Length == 0);
        v.RuleFor(request => request.Resolution).Unset(resolution => resolution == Resolution.Unspecified);
        v.RuleFor(request => request.Reason).Unset(reason => reason.Length == 0);
        v.RuleFor(request => request.Note).Unset(note => note.Length == 0);
        v.RuleFor(request => request.SignupIds).Unset(ids => ids.Count == 0);
        v.RuleFor(request => request.OverridePeople).Unset(overriding => !overriding);
    });

    private static readonly Bounds<SplitClusterRequest> Split = new(v =>
    {
        v.RuleFor(request => request.ClusterId).Cluster();
        v.RuleFor(request => request.SignupIds).Required().AtMost(SignupIdsMax);
        v.RuleForEach(request => request.SignupIds).Required().Text(SignupValidator.SignupIdCharactersMax);
        v.RuleFor(request => request.Reason).Required().Text(CorrectionReasonCharactersMax);
    });

    private static readonly Bounds<ExemptKeyRequest> Exempt = new(v =>
    {
        v.RuleFor(request => request.KeyRef).KeyReference();
        v.RuleFor(request => request.Reason).Required().Text(CorrectionReasonCharactersMax);
        v.RuleFor(request => request.ExpiresAt).Required().Time();
    });

    private static readonly Bounds<EndExemptionRequest> EndExemption = new(v =>
    {
        v.RuleFor(request => request.KeyRef).KeyReference();
    });

    private static IRuleBuilderOptionsConditions<T, long> Cluster<T>(this IRuleBuilder<T, long> rule) => rule.Custom((cluster, context) =>
    {
        if (cluster < 1) Rules.Fail(context, context.PropertyPath, cluster == 0 ? ViolationCode.Required : ViolationCode.OutOfRange, "A network's number, from 1.");
    });

    private static IRuleBuilderOptionsConditions<T, RepeatedField<string>> AtMost<T>(this IRuleBuilder<T, RepeatedField<string>> rule, int max) => rule.Custom((items, context) =>
    {
        if (items.Count > max) Rules.Fail(context, context.PropertyPath, ViolationCode.TooMany, $"At most {max:N0}.");
    });

    private static void Unset<T, TValue>(this IRuleBuilder<T, TValue> rule, Func<TValue, bool> isUnset) => rule.Custom((value, context) =>
    {
        if (!isUnset(value)) Rules.Fail(context, context.PropertyPath, ViolationCode.InvalidValue, "Not with a resolution_id: what was decided is stored.");
    });

    private static IRuleBuilderOptionsConditions<T, string> KeyReference<T>(this IRuleBuilder<T, string> rule) =>
        rule.Required().Form(
            text => text.Length == KeyReferenceDigits && text.All(character => character is (>= '0' and <= '9') or (>= 'a' and <= 'f')),
            ViolationCode.InvalidFormat,
            $"{KeyReferenceDigits} hexadecimal digits in lower case, as evidence and GetCluster name keys.");

    /// <summary>Empty, or an etag of a case.</summary>
    private static IRuleBuilderOptionsConditions<T, string> Etag<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(text => text.Length <= EtagCharactersMax && ReviewMap.Revision(text) is not null, ViolationCode.InvalidToken, "An etag that this service gave.");

    private static IRuleBuilderOptionsConditions<T, string> ReasonCode<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(
            text => text.Length <= ReasonCharactersMax && text.All(character => character is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_'),
            ViolationCode.InvalidFormat,
            $"Upper-case letters, digits and _; at most {ReasonCharactersMax}.");
}
