using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport.Validation;
using Status = Google.Rpc.Status;

namespace SignupGuard.Service.Transport;

/// <summary>
/// The statuses this service answers with instead of a decision: a code, one sentence, and details by <c>google.rpc</c>. The one place
/// where they are made. None of them repeats what was sent.
/// </summary>
internal static class Refusal
{
    /// <summary>The domain of every <see cref="ErrorInfo"/>.</summary>
    public const string Domain = "signupguard";

    public const string InvalidSignup = "INVALID_SIGNUP";
    public const string InvalidRequest = "INVALID_REQUEST";
    public const string UnreadableRequest = "UNREADABLE_REQUEST";
    public const string RequestTooLarge = "REQUEST_TOO_LARGE";
    public const string SignupIdReused = "SIGNUP_ID_REUSED";
    public const string SignupUnknown = "SIGNUP_UNKNOWN";
    public const string Overloaded = "OVERLOADED";
    public const string DatabaseUnavailable = "DATABASE_UNAVAILABLE";
    public const string ServiceStopping = "SERVICE_STOPPING";
    public const string SignupFailed = "SIGNUP_FAILED";
    public const string InternalError = "INTERNAL_ERROR";
    public const string ActorRequired = "ACTOR_REQUIRED";
    public const string ListUnknown = "LIST_UNKNOWN";
    public const string ListExists = "LIST_EXISTS";
    public const string EtagMismatch = "ETAG_MISMATCH";
    public const string TooManyLists = "TOO_MANY_LISTS";

    /// <summary>gRPC clients take only some kilobytes of details, and drop the status with those beyond.</summary>
    private const int ViolationsListedMax = 40;

    private static readonly TimeSpan RetryAfterOverload = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(1);

    /// <summary>The status of a signup without a decision.</summary>
    public static Status Of(ScreeningOutcome outcome) => outcome switch
    {
        ScreeningOutcome.Invalid invalid => Invalid(invalid.Violations, InvalidSignup, "The signup breaks bounds of the contract."),
        ScreeningOutcome.IdReused => Make(Code.AlreadyExists, SignupIdReused, "This signup_id belongs to a signup of other content. Repeat a signup unchanged, or give a new one a new id."),
        ScreeningOutcome.Overloaded => Make(Code.ResourceExhausted, Overloaded, "Too many signups wait. Nothing was stored; send the same signup again.", Retry(RetryAfterOverload)),
        ScreeningOutcome.Unavailable => Unavailable(),
        ScreeningOutcome.Failed failed => Make(Code.Internal, SignupFailed, $"This signup could not be screened; nothing was stored. Reference {failed.Reference}."),
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "A decision is no refusal."),
    };

    public static Status Invalid(IReadOnlyList<FieldViolation> violations, string reason = InvalidRequest, string message = "The request breaks bounds of the contract.")
    {
        return Make(
            Code.InvalidArgument,
            reason,
            $"{message} {violations.Count} {(violations.Count == 1 ? "violation" : "violations")}, the first: {violations[0].Field}: {violations[0].Description}",
            Details(violations));
    }

    /// <summary>As many of the violations as fit.</summary>
    internal static BadRequest Details(IReadOnlyList<FieldViolation> violations)
    {
        var details = new BadRequest();
        details.FieldViolations.Add(violations.Take(ViolationsListedMax).Select(violation => new BadRequest.Types.FieldViolation
        {
            Field = violation.Field,
            Reason = violation.Code,
            Description = violation.Description,
        }));
        return details;
    }

    /// <summary>What arrived is no message of the contract (cut off, no valid UTF-8, no JSON).</summary>
    public static Status Unreadable(string message) => Make(Code.InvalidArgument, UnreadableRequest, message);

    public static Status TooLarge() => Make(Code.ResourceExhausted, RequestTooLarge, $"A request has at most {SignupGuardHost.MessageBytesMax:N0} bytes.");

    public static Status UnknownSignup() => Make(Code.NotFound, SignupUnknown, "No signup of this id was screened.");

    public static Status ActorUnknown() => Make(Code.Unauthenticated, ActorRequired, $"Say who you are: metadata (or HTTP header) {Caller.ActorHeader}.");

    public static Status UnknownList() => Make(Code.NotFound, ListUnknown, "There is no list of this name.");

    public static Status KnownList() => Make(Code.AlreadyExists, ListExists, "There is a list of this name.");

    public static Status OutdatedEtag() => Make(Code.Aborted, EtagMismatch, "It has been changed since it was read. Read it again, and decide again.");

    public static Status ListsFull(int max) => Make(Code.ResourceExhausted, TooManyLists, $"There are {max:N0} lists, as many as may be.");

    public static Status Unavailable() =>
        Make(Code.Unavailable, DatabaseUnavailable, "The database can't be reached in time, so nothing was decided. Send the same signup again: it is counted once.", Retry(RetryAfterOutage));

    /// <summary>For streams without end: another replica, or this one in a moment, goes on where it left off.</summary>
    public static Status Stopping() => Make(Code.Unavailable, ServiceStopping, "The service stops. Watch again from the last token.", Retry(RetryAfterOutage));

    public static Status Internal(string reference) => Make(Code.Internal, InternalError, $"The service failed. Reference {reference}.");

    /// <summary>The same for one signup of a stream.</summary>
    public static V1.SignupError ToSignupError(Status status)
    {
        var error = new V1.SignupError
        {
            Code = status.Code,
            Reason = status.GetDetail<ErrorInfo>()?.Reason ?? "",
            Message = status.Message,
        };
        foreach (var violation in status.GetDetail<BadRequest>()?.FieldViolations ?? [])
        {
            error.FieldErrors.Add(new V1.FieldError
            {
                Field = violation.Field,
                Code = violation.Reason,
                Description = violation.Description,
            });
        }
        return error;
    }

    private static RetryInfo Retry(TimeSpan after) => new() { RetryDelay = Duration.FromTimeSpan(after) };

    internal static Status Make(Code code, string reason, string message, params ReadOnlySpan<IMessage> details)
    {
        var status = new Status
        {
            Code = (int)code,
            Message = message,
        };
        status.Details.Add(Any.Pack(new ErrorInfo
        {
            Domain = Domain,
            Reason = reason,
        }));
        foreach (var detail in details) status.Details.Add(Any.Pack(detail));
        return status;
    }
}
