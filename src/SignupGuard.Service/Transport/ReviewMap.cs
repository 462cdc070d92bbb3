using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>The one map from stored cases to the contract's.</summary>
internal static class ReviewMap
{
    private const string EtagPrefix = "r";

    /// <param name="now">Tells whether a lease still runs.</param>
    public static V1.Case ToContract(StoredCase stored, DateTimeOffset now)
    {
        var mapped = new V1.Case
        {
            CaseId = stored.Id.ToString(),
            State = ToContract(stored.State),
            Etag = Etag(stored.Revision),
            SignupId = stored.SignupId,
            Signups = stored.Signups,
            Verdict = DecisionMap.ToContract(stored.Verdict),
            Score = stored.Score,
            Priority = stored.Priority,
            OpenedAt = Timestamp.FromDateTimeOffset(stored.OpenedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(stored.UpdatedAt),
            Appealed = stored.Appealed,
            Resolution = stored.Resolution is { } resolution ? ToContract(resolution) : V1.Resolution.Unspecified,
            ResolvedBy = stored.ResolvedBy ?? "",
            ResolutionReason = stored.ResolutionReason ?? "",
            Country = stored.Country ?? "",
            NetworkClass = stored.NetworkClass ?? "",
            Channel = stored.Channel ?? "",
            Product = stored.Product ?? "",
        };
        if (stored.Cluster is { } cluster) mapped.ClusterId = cluster;
        mapped.ReasonCodes.Add(stored.ReasonCodes);
        mapped.Labels.Add(stored.Labels);
        if (stored.HolderAt(now) is { } holder)
        {
            mapped.ClaimedBy = holder;
            mapped.ClaimedUntil = Timestamp.FromDateTimeOffset(stored.ClaimedUntil!.Value);
        }
        if (stored.ResolvedAt is { } resolved) mapped.ResolvedAt = Timestamp.FromDateTimeOffset(resolved);
        return mapped;
    }

    public static V1.Note ToContract(StoredNote stored) => new()
    {
        NoteId = stored.Id.ToString(),
        Author = stored.Author,
        At = Timestamp.FromDateTimeOffset(stored.At),
        Text = stored.Text,
    };

    public static V1.CaseEvent ToContract(StoredCaseEvent stored) => new()
    {
        At = Timestamp.FromDateTimeOffset(stored.At),
        Actor = stored.Actor ?? "",
        Kind = stored.Kind,
        Detail = stored.Detail ?? "",
    };

    public static V1.ResolveClusterResponse ToContract(NetworkProgress progress) => new()
    {
        ResolutionId = progress.Id.ToString(),
        Done = progress.Done,
        Total = progress.Total,
        Changed = progress.Changed,
        Skipped = progress.Skipped,
        Finished = progress.Finished,
    };

    public static V1.CaseState ToContract(CaseState state) => state switch
    {
        CaseState.Open => V1.CaseState.Open,
        CaseState.Escalated => V1.CaseState.Escalated,
        CaseState.Resolved => V1.CaseState.Resolved,
        CaseState.Denied => V1.CaseState.Denied,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without a value."),
    };

    public static CaseState ToCore(V1.CaseState state) => state switch
    {
        V1.CaseState.Open => CaseState.Open,
        V1.CaseState.Escalated => CaseState.Escalated,
        V1.CaseState.Resolved => CaseState.Resolved,
        V1.CaseState.Denied => CaseState.Denied,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without a meaning passed validation."),
    };

    public static V1.Resolution ToContract(CaseResolution resolution) => resolution switch
    {
        CaseResolution.Allow => V1.Resolution.Allow,
        CaseResolution.Deny => V1.Resolution.Deny,
        _ => throw new ArgumentOutOfRangeException(nameof(resolution), resolution, "A resolution without a value."),
    };

    public static CaseResolution ToCore(V1.Resolution resolution) => resolution switch
    {
        V1.Resolution.Allow => CaseResolution.Allow,
        V1.Resolution.Deny => CaseResolution.Deny,
        _ => throw new ArgumentOutOfRangeException(nameof(resolution), resolution, "A resolution without a meaning passed validation."),
    };

    /// <summary>As people say it.</summary>
    public static string Words(CaseState state) => state switch
    {
        CaseState.Open => "open",
        CaseState.Escalated => "escalated",
        CaseState.Resolved => "resolved",
        CaseState.Denied => "denied by the policy",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without words."),
    };

    public static string Etag(long revision) => EtagPrefix + revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>Null for none of this service's.</summary>
    public static long? Revision(string etag) =>
        etag.StartsWith(EtagPrefix, StringComparison.Ordinal) && long.TryParse(etag.AsSpan(EtagPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : null;
}
