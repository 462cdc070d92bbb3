using FluentValidation;
using Google.Protobuf;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>Checks requests against the bounds of the contract. Thread-safe; every violation is reported at once.</summary>
public sealed class RequestValidation(TimeProvider clock)
{
    private readonly SignupValidator _signup = new(clock);
    private readonly GetDecisionValidator _getDecision = new();
    private readonly ReportOutcomeValidator _reportOutcome = new(clock);
    private readonly WatchDecisionsValidator _watchDecisions = new();

    /// <summary>Empty when the signup keeps all bounds.</summary>
    public IReadOnlyList<FieldViolation> Check(Signup? signup) =>
        signup is null
        ? [new FieldViolation("signup", ViolationCode.Required, "Needed.")]
        : _signup.Holds(signup) ? []
        : Check(_signup, signup, "signup");

    public IReadOnlyList<FieldViolation> Check(GetDecisionRequest request) => Check(_getDecision, request, "");

    public IReadOnlyList<FieldViolation> Check(ReportOutcomeRequest request) => Check(_reportOutcome, request, "");

    public IReadOnlyList<FieldViolation> Check(WatchDecisionsRequest request) => Check(_watchDecisions, request, "");

    internal static IReadOnlyList<FieldViolation> Check<T>(AbstractValidator<T> validator, T message, string root)
        where T : IMessage
    {
        var result = validator.Validate(message);
        if (result.IsValid) return [];
        return [.. result.Errors.Select(failure => new FieldViolation(Path(message, root, failure.PropertyName), failure.ErrorCode, failure.ErrorMessage)).Distinct()];
    }

    private static string Path(IMessage message, string root, string property) =>
        property.Length == 0 ? root
        : root.Length == 0 ? FieldPath.Of(message.Descriptor, property)
        : $"{root}.{FieldPath.Of(message.Descriptor, property)}";

    private sealed class GetDecisionValidator : AbstractValidator<GetDecisionRequest>
    {
        public GetDecisionValidator()
        {
            RuleFor(request => request.SignupId).Required().Text(SignupValidator.SignupIdCharactersMax);
        }
    }

    private sealed class ReportOutcomeValidator : AbstractValidator<ReportOutcomeRequest>
    {
        private const int NoteCharactersMax = 1024;

        public ReportOutcomeValidator(TimeProvider clock)
        {
            RuleFor(request => request.SignupId).Required().Text(SignupValidator.SignupIdCharactersMax);
            RuleFor(request => request.Kind).Required().Known();
            RuleFor(request => request.OccurredAt).Past(clock);
            RuleFor(request => request.Note).Text(NoteCharactersMax);
        }
    }

    private sealed class WatchDecisionsValidator : AbstractValidator<WatchDecisionsRequest>
    {
        private const int TokenCharactersMax = 128;

        public WatchDecisionsValidator()
        {
            RuleFor(request => request.After).Text(TokenCharactersMax);
        }
    }
}
