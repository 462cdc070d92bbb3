using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Outcomes;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport;

/// <summary>What each kind of outcome means for the account and for those tied to it, as the contract says beside the kinds.</summary>
internal static class OutcomeRules
{
    public static OutcomeConsequence Consequence(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Abandoned => new OutcomeConsequence(Label.None, null, "OUTCOME_ABANDONED", "The person did not finish."),
        OutcomeKind.Verified => new OutcomeConsequence(Label.None, null, "OUTCOME_VERIFIED", "The person passed a further check."),
        OutcomeKind.Chargeback => new OutcomeConsequence(Label.Bad, Core.Decisions.Verdict.Deny, "OUTCOME_CHARGEBACK", "A payment of the account was charged back."),
        OutcomeKind.AbuseConfirmed => new OutcomeConsequence(Label.Bad, Core.Decisions.Verdict.Deny, "OUTCOME_ABUSE_CONFIRMED", "Abuse by the account was confirmed."),
        OutcomeKind.FoundLegitimate => new OutcomeConsequence(Label.Good, Core.Decisions.Verdict.Allow, "OUTCOME_FOUND_LEGITIMATE", "The account was found legitimate."),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "An outcome without a meaning passed validation."),
    };
}
