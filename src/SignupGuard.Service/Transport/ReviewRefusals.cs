using Google.Rpc;
using SignupGuard.Storage.Reviews;
using Status = Google.Rpc.Status;

namespace SignupGuard.Service.Transport;

/// <summary>The statuses by which reviewers' calls are refused: the one place where they are made.</summary>
internal static class ReviewRefusals
{
    public const string CaseUnknown = "CASE_UNKNOWN";
    public const string SignupUnknown = "SIGNUP_UNKNOWN";
    public const string ClusterUnknown = "CLUSTER_UNKNOWN";
    public const string KeyUnknown = "KEY_UNKNOWN";
    public const string CaseChanged = "CASE_CHANGED";
    public const string CaseClaimed = "CASE_CLAIMED";
    public const string CaseNotClaimed = "CASE_NOT_CLAIMED";
    public const string CaseState = "CASE_STATE";
    public const string ClusterChanged = "CLUSTER_CHANGED";
    public const string ResolutionUnknown = "RESOLUTION_UNKNOWN";

    public static Status Of(CaseRefusal refusal) => refusal switch
    {
        CaseRefusal.Unknown => UnknownCase(),
        CaseRefusal.Changed => Refusal.Make(Code.Aborted, CaseChanged, "The case was changed since it was read. Nothing was done; read it again, then decide."),
        CaseRefusal.Claimed claimed => Refusal.Make(Code.FailedPrecondition, CaseClaimed, $"{claimed.By} holds the case until {claimed.Until:u}."),
        CaseRefusal.NotClaimed => Refusal.Make(Code.FailedPrecondition, CaseNotClaimed, "You do not hold the case, or do not hold it any more."),
        CaseRefusal.State state => Refusal.Make(Code.FailedPrecondition, CaseState, $"Not for a case that is {ReviewMap.Words(state.Is)}."),
        CaseRefusal.Network network => Refusal.Make(Code.FailedPrecondition, CaseState, $"This is the case of network {network.Cluster}. Preview and decide the network."),
        CaseRefusal.AppealsTaken taken => Refusal.Make(Code.FailedPrecondition, CaseState, $"{taken.Max} objections to this decision are open already."),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "A refusal without a status."),
    };

    public static Status Of(NetworkRefusal refusal) => refusal switch
    {
        NetworkRefusal.Unknown => UnknownCluster(),
        NetworkRefusal.Changed => Refusal.Make(Code.Aborted, ClusterChanged, "The network is another than the one previewed. Nothing was done; preview again."),
        NetworkRefusal.ResolutionUnknown => Refusal.Make(Code.NotFound, ResolutionUnknown, "There is no such decision on this network."),
        NetworkRefusal.Claimed claimed => Of(new CaseRefusal.Claimed(claimed.By, claimed.Until)),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "A refusal without a status."),
    };

    /// <summary>Another replica, or this one in a moment, goes on with it.</summary>
    public static Status ResolutionStops(Guid id) => Refusal.Make(Code.Unavailable, Refusal.ServiceStopping, $"The service stops. What was done stays done; go on with resolution_id {id}.");

    public static Status UnknownCase() => Refusal.Make(Code.NotFound, CaseUnknown, "There is no such case.");

    public static Status UnknownSignup() => Refusal.Make(Code.NotFound, SignupUnknown, "There is no such signup.");

    public static Status UnknownCluster() => Refusal.Make(Code.NotFound, ClusterUnknown, "There is no such network any more, or never was: it may have joined another.");

    public static Status UnknownKey() => Refusal.Make(Code.NotFound, KeyUnknown, "No signup has such a key, or it is not exempt.");
}
