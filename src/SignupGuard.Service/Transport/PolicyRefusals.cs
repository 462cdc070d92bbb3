using Google.Rpc;
using SignupGuard.Core.Policies;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Policies;
using Status = Google.Rpc.Status;

namespace SignupGuard.Service.Transport;

/// <summary>The statuses by which a change of the policy is refused: the one place where they are made.</summary>
internal static class PolicyRefusals
{
    public const string PolicyUnknown = "POLICY_UNKNOWN";
    public const string PolicyInvalid = "POLICY_INVALID";
    public const string PolicyChanged = "POLICY_CHANGED";
    public const string PolicyBaseOutdated = "POLICY_BASE_OUTDATED";
    public const string PolicyState = "POLICY_STATE";
    public const string BacktestRequired = "BACKTEST_REQUIRED";
    public const string BacktestUnknownReason = "BACKTEST_UNKNOWN";
    public const string BacktestBusyReason = "BACKTEST_BUSY";
    public const string BacktestTooManyReason = "BACKTEST_TOO_MANY";
    public const string SecondPersonRequired = "SECOND_PERSON_REQUIRED";
    public const string ShadowLinkageDiffers = "SHADOW_LINKAGE_DIFFERS";
    public const string ShadowsTaken = "SHADOWS_TAKEN";

    public static Status Of(PolicyRefusal refusal) => refusal switch
    {
        PolicyRefusal.Unknown unknown => Unknown(unknown.Version),
        PolicyRefusal.Changed changed => Refusal.Make(Code.Aborted, PolicyChanged, $"Version {changed.Version} was changed since it was read. Nothing was done; read it again."),
        PolicyRefusal.ActiveChanged active => Refusal.Make(Code.Aborted, PolicyChanged, $"Version {active.ActiveVersion} is active by now. Nothing was done; look again."),
        PolicyRefusal.BaseOutdated outdated => Refusal.Make(
            Code.FailedPrecondition,
            PolicyBaseOutdated,
            $"Version {outdated.ActiveVersion} went live since; this draft takes version {outdated.BaseVersion} into account. Look at the difference, then update the draft with base_version {outdated.ActiveVersion}."),
        PolicyRefusal.State state => Refusal.Make(Code.FailedPrecondition, PolicyState, $"Not for a version that is {PolicyMap.Words(state.Is)}."),
        PolicyRefusal.Invalid invalid => Invalid(Code.FailedPrecondition, invalid.Issues),
        PolicyRefusal.BacktestRequired => Refusal.Make(Code.FailedPrecondition, BacktestRequired, "A version goes live only after a backtest of exactly its content."),
        PolicyRefusal.SecondPersonRequired => Refusal.Make(
            Code.FailedPrecondition, SecondPersonRequired, "Someone else must approve: neither the author of the last change nor the one who asked that it go live."),
        PolicyRefusal.ShadowLinkageDiffers differs => Refusal.Make(
            Code.FailedPrecondition,
            ShadowLinkageDiffers,
            "The linkage differs from the active version's, by whose links a shadow judges. Backtest it, or let a linkage rule run with mode: shadow in a version of its own first.",
            Refusal.Details([.. differs.Differences.Select(difference => new FieldViolation(
                difference.Id.Length > 0 ? $"{difference.Section}[{difference.Id}]" : difference.Section,
                ViolationCode.InvalidValue,
                difference.Kind == DifferenceKind.Changed ? $"Other than the active version's: {string.Join(", ", difference.Fields.Select(field => field.Field))}." : $"{difference.Kind}."))])),
        PolicyRefusal.ShadowsTaken taken => Refusal.Make(Code.FailedPrecondition, ShadowsTaken, $"{taken.Max} shadows run already. End one first."),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "A refusal without a status."),
    };

    public static Status BacktestUnknown(long version) => Refusal.Make(Code.NotFound, BacktestUnknownReason, $"No backtest of what version {version} says now is stored.");

    public static Status BacktestBusy() => Refusal.Make(Code.ResourceExhausted, BacktestBusyReason, "Another backtest runs on this replica. Try again when it is done.");

    public static Status BacktestTooMany(long signups, long max) =>
        Refusal.Make(Code.FailedPrecondition, BacktestTooManyReason, $"{signups:N0} signups are stored of that time; a backtest replays at most {max:N0}. Choose a shorter time.");

    public static Status Unknown(long version) =>
        Refusal.Make(Code.NotFound, PolicyUnknown, version == 0 ? "No version is active." : $"There is no policy version {version}.");

    /// <summary>A document that is not, or no more, a valid policy.</summary>
    public static Status Invalid(Code code, IReadOnlyList<PolicyIssue> issues) => Refusal.Make(
        code,
        PolicyInvalid,
        $"The policy does not validate. {issues.Count} {(issues.Count == 1 ? "issue" : "issues")}, the first: {issues[0]}",
        Refusal.Details([.. issues.Select(issue => new FieldViolation(issue.Path, CodeOf(issue.Kind), issue.Description))]));

    private static string CodeOf(PolicyIssueKind kind) => kind switch
    {
        PolicyIssueKind.Document => ViolationCode.InvalidDocument,
        PolicyIssueKind.Expression => ViolationCode.InvalidExpression,
        _ => ViolationCode.InvalidValue,
    };
}
