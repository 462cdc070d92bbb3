using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Clusters;
using SignupGuard.Service.Reviews;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>The one map from what reviewers read to the contract's; cases themselves are <see cref="ReviewMap"/>'s.</summary>
internal static class ReviewReadMap
{
    public static V1.GetCaseResponse ToContract(CaseView view, DateTimeOffset now)
    {
        var response = new V1.GetCaseResponse { Case = ReviewMap.ToContract(view.Case, now) };
        if (view.Signup is { } signup) response.Signup = ToContract(signup);
        response.Notes.Add(view.Notes.Select(ReviewMap.ToContract));
        response.Events.Add(view.Events.Select(ReviewMap.ToContract));
        response.Members.Add(view.Members.Select(ToContract));
        return response;
    }

    public static V1.SignupDetail ToContract(SignupView view)
    {
        var detail = new V1.SignupDetail
        {
            Summary = ToContract(view.Summary),
            Decision = DecisionMap.ToContract(view.History[^1]),
            FirstDecision = DecisionMap.ToContract(view.History[0]),
        };
        for (var i = 0; i < view.History.Count; i++) detail.Changes.Add(DecisionMap.ToContract(view.History[i], i == 0 ? null : view.History[i - 1].Body.Verdict, token: ""));
        detail.Signals.Add(view.Signals.Select(signal => new V1.SignalValue
        {
            Name = signal.Name,
            Value = signal.Value,
            Description = signal.Description,
            Group = signal.Group,
        }));
        detail.Outcomes.Add(view.Outcomes.Select(outcome => new V1.Outcome
        {
            Kind = EnumWords.Value<V1.OutcomeKind>(outcome.Kind),
            OccurredAt = Timestamp.FromDateTimeOffset(outcome.OccurredAt),
        }));
        detail.Linked.Add(view.Linked.Select(ToContract));
        detail.Similar.Add(view.Similar.Select(ToContract));
        return detail;
    }

    public static V1.FoundSignup ToContract(FoundSignup found)
    {
        var mapped = new V1.FoundSignup
        {
            SignupId = found.SignupId,
            RecordedAt = Timestamp.FromDateTimeOffset(found.RecordedAt),
            Verdict = DecisionMap.ToContract(found.Verdict),
            Score = found.Score,
            Revision = found.Revision,
            Country = found.Country ?? "",
            NetworkClass = found.NetworkClass ?? "",
            Channel = found.Channel ?? "",
            Product = found.Product ?? "",
            CaseId = found.Case?.Id.ToString() ?? "",
        };
        mapped.ReasonCodes.Add(found.ReasonCodes);
        if (found.Cluster is { } cluster) mapped.ClusterId = cluster;
        if (ToContract(found.Label) is { } label) mapped.Label = label;
        return mapped;
    }

    public static V1.GetClusterResponse ToContract(StoredNetwork network)
    {
        var response = new V1.GetClusterResponse
        {
            Cluster = DecisionMap.ToContract(network.Facts),
            Truncated = network.Truncated,
            Etag = network.Mark.ToString(),
        };
        var at = new Dictionary<long, V1.ClusterMember>(network.Members.Count);
        foreach (var member in network.Members)
        {
            var mapped = new V1.ClusterMember
            {
                SignupId = member.SignupId,
                RecordedAt = Timestamp.FromDateTimeOffset(member.RecordedAt),
                Verdict = DecisionMap.ToContract(member.Verdict),
                Score = member.Score,
            };
            if (ToContract(member.Label) is { } label) mapped.Label = label;
            at.Add(member.Ordinal, mapped);
            response.Members.Add(mapped);
        }
        for (var i = 0; i < network.Keys.Count; i++)
        {
            var key = network.Keys[i];
            response.Keys.Add(new V1.ClusterKey
            {
                KeyRef = key.Key.ToString(),
                KeyKind = key.Kind.ToString(),
                Accounts = key.Accounts,
                Members = key.Members.Count,
                Exempt = key.Exempt,
            });
            foreach (var ordinal in key.Members) at[ordinal].Keys.Add(i);
        }
        response.Growth.Add(network.Growth.Select(hour => new V1.GrowthPoint
        {
            Hour = Timestamp.FromDateTimeOffset(hour.Hour),
            Members = hour.Members,
            Denied = hour.Denied,
        }));
        return response;
    }

    public static CaseOrder ToCore(V1.CaseOrder order) => order switch
    {
        V1.CaseOrder.Unspecified => CaseOrder.Queue,
        V1.CaseOrder.Newest => CaseOrder.Newest,
        V1.CaseOrder.Oldest => CaseOrder.Oldest,
        V1.CaseOrder.Score => CaseOrder.Score,
        V1.CaseOrder.Size => CaseOrder.Size,
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, "An order without a meaning passed validation."),
    };

    private static V1.LinkedSignup ToContract(LinkedAccount linked)
    {
        var mapped = new V1.LinkedSignup
        {
            Signup = ToContract(linked.Signup),
            Strength = linked.Strength,
        };
        mapped.KeyKinds.Add(linked.KeyKinds);
        return mapped;
    }

    /// <summary>Null while nothing is known.</summary>
    private static V1.AccountLabel? ToContract(Label label) => label switch
    {
        Label.Bad => V1.AccountLabel.Bad,
        Label.Good => V1.AccountLabel.Good,
        _ => null,
    };
}
