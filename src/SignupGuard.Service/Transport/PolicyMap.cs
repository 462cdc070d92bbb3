using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Policies;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Policies;

namespace SignupGuard.Service.Transport;

/// <summary>The one map from stored policies to the contract's.</summary>
internal static class PolicyMap
{
    private const string EtagPrefix = "r";

    public static V1.PolicySummary ToContract(StoredPolicy stored, StoredBacktest? backtest = null)
    {
        var summary = new V1.PolicySummary
        {
            Version = stored.Version,
            Name = stored.Name ?? "",
            State = State(stored.State),
            Etag = Etag(stored.Revision),
            ContentHash = Convert.ToHexStringLower(stored.ContentHash),
            BaseVersion = stored.BaseVersion ?? 0,
            Author = stored.Author,
            CreatedAt = Timestamp.FromDateTimeOffset(stored.CreatedAt),
            ChangedBy = stored.ChangedBy,
            ChangedAt = Timestamp.FromDateTimeOffset(stored.ChangedAt),
            Note = stored.Note ?? "",
            Shadow = Step(stored.ShadowBy, stored.ShadowAt, null),
            PublishRequest = Step(stored.RequestedBy, stored.RequestedAt, stored.RequestNote),
            Approval = Step(stored.ApprovedBy, stored.ApprovedAt, stored.ApprovalNote),
            SecondPerson = stored.SecondPerson ?? false,
        };
        if (backtest is not null) summary.Backtest = Step(backtest.Actor, backtest.At, null);
        return summary;
    }

    public static V1.PolicyIssue ToContract(PolicyIssue issue) => new()
    {
        Path = issue.Path,
        RuleId = issue.RuleId ?? "",
        Message = issue.Message,
        Line = issue.Line,
        Column = issue.Column,
        Suggestion = issue.Suggestion ?? "",
    };

    public static V1.PolicyActivation ToContract(StoredActivation stored) => new()
    {
        Version = stored.Version,
        PreviousVersion = stored.PreviousVersion ?? 0,
        Kind = EnumWords.Value<V1.ActivationKind>(stored.Kind),
        Actor = stored.Actor,
        At = Timestamp.FromDateTimeOffset(stored.At),
        Reason = stored.Reason ?? "",
    };

    public static V1.PolicyDifference ToContract(PolicyDifference difference)
    {
        var mapped = new V1.PolicyDifference
        {
            Section = difference.Section,
            Id = difference.Id,
            Kind = difference.Kind switch
            {
                DifferenceKind.Added => V1.DifferenceKind.Added,
                DifferenceKind.Removed => V1.DifferenceKind.Removed,
                _ => V1.DifferenceKind.Changed,
            },
        };
        mapped.Fields.Add(difference.Fields.Select(field => new V1.FieldDifference
        {
            Field = field.Field,
            Old = field.Old ?? "",
            New = field.New ?? "",
        }));
        return mapped;
    }

    public static V1.ShadowDifference ToContract(ShadowDifference stored)
    {
        var difference = new V1.ShadowDifference
        {
            SignupId = stored.SignupId,
            JudgedAt = Timestamp.FromDateTimeOffset(stored.JudgedAt),
            ActiveVersion = stored.ActiveVersion,
            From = DecisionMap.ToContract(stored.ActiveVerdict),
            To = DecisionMap.ToContract(stored.ShadowVerdict),
            FromScore = stored.ActiveScore,
            ToScore = stored.ShadowScore,
        };
        difference.ReasonCodes.Add(stored.Reasons);
        return difference;
    }

    public static V1.AuditEntry ToContract(StoredAuditEntry stored) => new()
    {
        Id = stored.Id,
        At = Timestamp.FromDateTimeOffset(stored.At),
        Actor = stored.Entry.Actor,
        Action = stored.Entry.Action,
        Subject = stored.Entry.Subject,
        Change = stored.Entry.Change ?? "",
        Note = stored.Entry.Note ?? "",
    };

    public static PolicyState ToCore(V1.PolicyState state) => state switch
    {
        V1.PolicyState.Draft => PolicyState.Draft,
        V1.PolicyState.Validated => PolicyState.Validated,
        V1.PolicyState.Backtested => PolicyState.Backtested,
        V1.PolicyState.PublishRequested => PolicyState.PublishRequested,
        V1.PolicyState.Active => PolicyState.Active,
        V1.PolicyState.Superseded => PolicyState.Superseded,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without a meaning passed validation."),
    };

    /// <summary>Null for any.</summary>
    public static Core.Decisions.Verdict? ToCore(V1.Verdict verdict) => verdict switch
    {
        V1.Verdict.Allow => Core.Decisions.Verdict.Allow,
        V1.Verdict.Review => Core.Decisions.Verdict.Review,
        V1.Verdict.Deny => Core.Decisions.Verdict.Deny,
        _ => null,
    };

    /// <summary>As people say it.</summary>
    public static string Words(PolicyState state) => state switch
    {
        PolicyState.Draft => "a draft that does not validate",
        PolicyState.Validated => "a draft",
        PolicyState.Backtested => "backtested",
        PolicyState.PublishRequested => "asked to go live",
        PolicyState.Active => "active",
        PolicyState.Superseded => "superseded",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without words."),
    };

    public static string Etag(long revision) => EtagPrefix + revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>Null for none of this service's.</summary>
    public static long? Revision(string etag) =>
        etag.StartsWith(EtagPrefix, StringComparison.Ordinal) && long.TryParse(etag.AsSpan(EtagPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : null;

    private static V1.PolicyState State(PolicyState state) => state switch
    {
        PolicyState.Draft => V1.PolicyState.Draft,
        PolicyState.Validated => V1.PolicyState.Validated,
        PolicyState.Backtested => V1.PolicyState.Backtested,
        PolicyState.PublishRequested => V1.PolicyState.PublishRequested,
        PolicyState.Active => V1.PolicyState.Active,
        PolicyState.Superseded => V1.PolicyState.Superseded,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without a value."),
    };

    private static V1.PolicyStep? Step(string? actor, DateTimeOffset? at, string? note) => actor is null || at is null
        ? null
        : new V1.PolicyStep
        {
            Actor = actor,
            At = Timestamp.FromDateTimeOffset(at.Value),
            Note = note ?? "",
        };
}
