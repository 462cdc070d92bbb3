using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Transport;

/// <summary>The one map from stored decisions to the contract's.</summary>
internal static class DecisionMap
{
    /// <param name="replayed">The stored decision is given again to a repeat of the signup.</param>
    public static V1.Decision ToContract(StoredDecision stored, bool replayed = false)
    {
        var decision = new V1.Decision
        {
            DecisionId = stored.DecisionId.ToString(),
            SignupId = stored.SignupId,
            Verdict = ToContract(stored.Body.Verdict),
            Score = stored.Body.Score,
            PolicyVersion = stored.PolicyVersion,
            Replayed = replayed,
            OutwardCode = stored.OutwardCode,
            DecidedAt = Timestamp.FromDateTimeOffset(stored.DecidedAt),
            Revision = stored.Revision,
        };
        decision.Labels.Add(stored.Body.Labels);
        decision.Obligations.Add(stored.Body.Obligations);
        decision.Reasons.Add(stored.Body.Reasons.Select(ToContract));
        decision.Completeness.Add(stored.Body.Completeness.Select(ToContract));
        if (stored.Facts is not null)
        {
            var facts = DecisionFacts.Decode(stored.Facts);
            decision.Links.Add(facts.Links.Select(link => ToContract(link.Key, link.Value)));
            if (facts.Cluster is { } cluster) decision.Cluster = ToContract(cluster);
        }
        return decision;
    }

    public static V1.Verdict ToContract(Core.Decisions.Verdict verdict) => verdict switch
    {
        Core.Decisions.Verdict.Allow => V1.Verdict.Allow,
        Core.Decisions.Verdict.Review => V1.Verdict.Review,
        Core.Decisions.Verdict.Deny => V1.Verdict.Deny,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "No verdict."),
    };

    /// <param name="previous">Null for a first decision.</param>
    public static V1.DecisionChange ToContract(StoredDecision stored, Core.Decisions.Verdict? previous, string token) => new()
    {
        Token = token,
        SignupId = stored.SignupId,
        PreviousVerdict = previous is { } verdict ? ToContract(verdict) : V1.Verdict.Unspecified,
        Verdict = ToContract(stored.Body.Verdict),
        Cause = EnumWords.Value<V1.ChangeCause>(stored.Cause),
        Decision = ToContract(stored),
        ChangedAt = Timestamp.FromDateTimeOffset(stored.DecidedAt),
    };

    private static V1.Reason ToContract(StoredReason stored)
    {
        var reason = new V1.Reason
        {
            Code = stored.Code,
            Text = stored.Text,
            Contribution = stored.Contribution,
        };
        if (stored.Evidence is { } step)
        {
            var evidence = new V1.EvidenceStep
            {
                KeyKind = step.Kind,
                KeyRef = step.KeyRef,
                Accounts = step.Accounts,
                Strength = step.Strength,
                ConfirmedBad = (long)Math.Round(step.ConfirmedBad),
            };
            if (step.Expected is { } expected) evidence.Expected = expected;
            evidence.SignupIds.Add(step.SignupIds);
            reason.Path.Add(evidence);
        }
        return reason;
    }

    private static V1.SignalGroup ToContract(StoredSignalGroup stored) => new()
    {
        Group = stored.Group,
        State = stored.State switch
        {
            SignalState.Present => V1.SignalState.Present,
            SignalState.Missing => V1.SignalState.Missing,
            SignalState.Stale => V1.SignalState.Stale,
            SignalState.TimedOut => V1.SignalState.TimedOut,
            SignalState.Failed => V1.SignalState.Failed,
            _ => V1.SignalState.Unspecified,
        },
        Detail = stored.Detail ?? "",
    };

    private static V1.LinkCount ToContract(KeyKind kind, in Link link) => new()
    {
        KeyKind = kind.ToString(),
        Accounts = link.Accounts,
        Accounts10M = (long)Math.Round(link.TenMinutes),
        Accounts1H = (long)Math.Round(link.Hour),
        Accounts1D = (long)Math.Round(link.Day),
    };

    public static V1.ClusterSummary ToContract(ClusterFacts cluster) => new()
    {
        ClusterId = cluster.Id,
        Size = cluster.Size,
        DeniedRatio = cluster.DeniedRatio,
        ConfirmedBad = cluster.ConfirmedBad,
        KeyGroups = cluster.KeyGroupCount,
        FirstSeen = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(cluster.FirstSeenMs)),
        LastSeen = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(cluster.LastSeenMs)),
    };
}
