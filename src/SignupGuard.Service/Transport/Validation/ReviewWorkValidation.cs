using FluentValidation;
using SignupGuard.Service.Reviews;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds of what reviewers ask to be done.</summary>
internal static class ReviewWorkValidation
{
    private const int NoteCharactersMax = 4_000;

    public static IReadOnlyList<FieldViolation> Check(ClaimNextRequest request) => RequestValidation.Check(ClaimNext, request, "");

    public static IReadOnlyList<FieldViolation> Check(ClaimCaseRequest request) => RequestValidation.Check(Claim, request, "");

    public static IReadOnlyList<FieldViolation> Check(ReleaseCaseRequest request) => RequestValidation.Check(Release, request, "");

    public static IReadOnlyList<FieldViolation> Check(AddNoteRequest request) => RequestValidation.Check(AddNote, request, "");

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

    private static IRuleBuilderOptionsConditions<T, string> Id<T>(this IRuleBuilder<T, string> rule) =>
        rule.Required().Form(text => Guid.TryParseExact(text, "D", out _), ViolationCode.InvalidFormat, "A UUID.");

    private sealed class Bounds<T> : AbstractValidator<T>
    {
        public Bounds(Action<Bounds<T>> rules) => rules(this);
    }
}
