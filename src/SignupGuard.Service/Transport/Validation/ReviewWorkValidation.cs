using FluentValidation;
using SignupGuard.Service.Reviews;
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

    public static IReadOnlyList<FieldViolation> Check(ClaimNextRequest request) => RequestValidation.Check(ClaimNext, request, "");

    public static IReadOnlyList<FieldViolation> Check(ClaimCaseRequest request) => RequestValidation.Check(Claim, request, "");

    public static IReadOnlyList<FieldViolation> Check(ReleaseCaseRequest request) => RequestValidation.Check(Release, request, "");

    public static IReadOnlyList<FieldViolation> Check(AddNoteRequest request) => RequestValidation.Check(AddNote, request, "");

    public static IReadOnlyList<FieldViolation> Check(ResolveCaseRequest request) => RequestValidation.Check(Resolve, request, "");

    public static IReadOnlyList<FieldViolation> Check(EscalateCaseRequest request) => RequestValidation.Check(Escalate, request, "");

    public static IReadOnlyList<FieldViolation> Check(OpenAppealRequest request) => RequestValidation.Check(OpenAppeal, request, "");

    public static IReadOnlyList<FieldViolation> Check(RevealSignupRequest request) => RequestValidation.Check(Reveal, request, "");

    private static readonly Bounds<ClaimNextRequest> ClaimNext = new(v =>
    {
        v.RuleFor(request => request.Filter).Custom((filter, context) =>
        {
            if (filter.Length > 0) Rules.Fail(context, context.PropertyPath, ViolationCode.InvalidExpression, "Filters are not taken here yet; leave it empty.");
        });
        v.RuleForEach(request => request.States).Required().Known();
        v.RuleForEach(request => request.States).Custom((state, context) =>
        {
            if (state is CaseState.Resolved or CaseState.Denied) Rules.Fail(context, context.PropertyPath, ViolationCode.InvalidValue, "Only what waits can be claimed: open, escalated.");
        });
        v.RuleFor(request => request.LeaseSeconds).Within(CaseWork.LeaseSecondsMin, CaseWork.LeaseSecondsMax, request => request.LeaseSeconds != 0);
    });

    private static readonly Bounds<ClaimCaseRequest> Claim = new(v =>
    {
        v.RuleFor(request => request.CaseId).Id();
        v.RuleFor(request => request.LeaseSeconds).Within(CaseWork.LeaseSecondsMin, CaseWork.LeaseSecondsMax, request => request.LeaseSeconds != 0);
    });

    private static readonly Bounds<ReleaseCaseRequest> Release = new(v =>
    {
        v.RuleFor(request => request.CaseId).Id();
    });

    private static readonly Bounds<AddNoteRequest> AddNote = new(v =>
    {
        v.RuleFor(request => request.CaseId).Id();
        v.RuleFor(request => request.Text).Required().Text(NoteCharactersMax);
    });

    private static readonly Bounds<ResolveCaseRequest> Resolve = new(v =>
    {
        v.RuleFor(request => request.CaseId).Id();
        v.RuleFor(request => request.Etag).Etag();
        v.RuleFor(request => request.Resolution).Required().Known();
        v.RuleFor(request => request.Reason).Required().ReasonCode();
        v.RuleFor(request => request.Note).Text(NoteCharactersMax);
    });

    private static readonly Bounds<EscalateCaseRequest> Escalate = new(v =>
    {
        v.RuleFor(request => request.CaseId).Id();
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

    /// <summary>Empty, or an etag of a case.</summary>
    private static IRuleBuilderOptionsConditions<T, string> Etag<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(text => text.Length <= EtagCharactersMax && ReviewMap.Revision(text) is not null, ViolationCode.InvalidToken, "An etag that this service gave.");

    private static IRuleBuilderOptionsConditions<T, string> ReasonCode<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(
            text => text.Length <= ReasonCharactersMax && text.All(character => character is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_'),
            ViolationCode.InvalidFormat,
            $"Upper-case letters, digits and _; at most {ReasonCharactersMax}.");

    private static IRuleBuilderOptionsConditions<T, string> Id<T>(this IRuleBuilder<T, string> rule) =>
        rule.Required().Form(text => Guid.TryParseExact(text, "D", out _), ViolationCode.InvalidFormat, "A UUID.");

    private sealed class Bounds<T> : AbstractValidator<T>
    {
        public Bounds(Action<Bounds<T>> rules) => rules(this);
    }
}
