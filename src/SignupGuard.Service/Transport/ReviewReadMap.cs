using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Backtests;
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

    public static SignupOrder ToCore(V1.SignupOrder order) => order switch
    {
        V1.SignupOrder.Unspecified => SignupOrder.Newest,
        V1.SignupOrder.Oldest => SignupOrder.Oldest,
        V1.SignupOrder.Score => SignupOrder.Score,
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, "An order without a meaning passed validation."),
    };

    public static V1.KeyExemption ToContract(StoredExemption stored)
    {
        var exemption = new V1.KeyExemption
        {
            KeyRef = stored.Key.ToString(),
            KeyKind = stored.Kind?.ToString() ?? "",
            Reason = stored.Reason,
            Author = stored.Author,
            CreatedAt = Timestamp.FromDateTimeOffset(stored.CreatedAt),
            ExpiresAt = Timestamp.FromDateTimeOffset(stored.ExpiresAt),
            EndedBy = stored.EndedBy ?? "",
        };
        if (stored.EndedAt is { } ended) exemption.EndedAt = Timestamp.FromDateTimeOffset(ended);
        return exemption;
    }

    public static V1.ReviewStatsResponse ToContract(ReviewCounts counts)
    {
        var response = new V1.ReviewStatsResponse();
        response.Waiting.Add(counts.Waiting.Select(band =>
        {
            var mapped = new V1.AgeBand { Cases = band.Cases };
            if (band.Under is { } under) mapped.UnderSeconds = (long)under.TotalSeconds;
            return mapped;
        }));
        response.Reviewers.Add(counts.Reviewers.Select(reviewer => new V1.ReviewerStats
        {
            Reviewer = reviewer.Reviewer,
            Resolved = reviewer.Resolved,
            Allowed = reviewer.Allowed,
            Denied = reviewer.Denied,
            Overturned = reviewer.Overturned,
        }));
        response.Rules.Add(counts.Rules.Select(rule => new V1.RuleStats
        {
            Code = rule.Code,
            Resolved = rule.Resolved,
            Allowed = rule.Allowed,
        }));
        response.Days.Add(counts.Days.Select(day => new V1.ReviewDay
        {
            Day = Timestamp.FromDateTimeOffset(day.Day),
            Opened = day.Opened,
            Resolved = day.Resolved,
        }));
        if (counts.ResolveSecondsMedian is { } median) response.ResolveSecondsMedian = median;
        return response;
    }

    public static V1.GetOverviewResponse ToContract(OverviewCounts counts)
    {
        var response = new V1.GetOverviewResponse { Judged = counts.Judged };
        response.Points.Add(counts.Points.Select(point => new V1.OverviewPoint
        {
            At = Timestamp.FromDateTimeOffset(point.At),
            Allowed = point.Allowed,
            Reviewed = point.Reviewed,
            Denied = point.Denied,
            Changed = point.Changed,
        }));
        response.Scores.Add(counts.Scores);
        response.Reasons.Add(counts.Reasons.Select(reason => new V1.CodeCount
        {
            Code = reason.Code,
            Signups = reason.Signups,
        }));
        response.Clusters.Add(counts.Grown.Select(DecisionMap.ToContract));
        if (Share.Wilson(counts.FoundHonest, counts.Judged) is { } share)
        {
            response.FalsePositiveShare = share.Value;
            response.FalsePositiveLow = share.Low;
            response.FalsePositiveHigh = share.High;
        }
        return response;
    }

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
