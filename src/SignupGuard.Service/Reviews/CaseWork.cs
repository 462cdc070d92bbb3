using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Reviews;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>What reviewers do to cases, networks and keys, with all that follows from it.</summary>
public sealed class CaseWork(
    CaseStore cases, ClusterStore clusters, FactsCipher cipher, ChangeNotifications changes, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<CaseWork> log)
{
    public const int LeaseSecondsMin = 60;
    public const int LeaseSecondsMax = 86_400;

    /// <summary>Long enough to read a case, short enough that a forgotten one comes back the same morning.</summary>
    private static readonly TimeSpan LeaseDefault = TimeSpan.FromMinutes(15);

    /// <summary>What applicants' sealed words are, to the cipher.</summary>
    private const string AppealPurpose = "appeal";

    /// <summary>Whether the service is asked to stop: what is left to do waits for whoever goes on with it.</summary>
    public bool Stopping => lifetime.ApplicationStopping.IsCancellationRequested;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <param name="states">Empty: open.</param>
    /// <param name="leaseSeconds">0: the default.</param>
    /// <returns>Null when none is left.</returns>
    public Task<StoredCase?> ClaimNextAsync(string tenant, string actor, IReadOnlyList<CaseState> states, IndexCondition condition, int leaseSeconds, CancellationToken cancellation) =>
        cases.ClaimNextAsync(tenant, actor, states.Count == 0 ? [CaseState.Open] : states, condition, Lease(leaseSeconds), cancellation);

    /// <inheritdoc cref="CaseStore.ClaimAsync"/>
    public Task<CaseChange> ClaimAsync(string tenant, Guid id, string actor, int leaseSeconds, bool takeOver, CancellationToken cancellation) =>
        cases.ClaimAsync(tenant, id, actor, Lease(leaseSeconds), takeOver, cancellation);

    /// <inheritdoc cref="CaseStore.ReleaseAsync"/>
    public Task<CaseChange> ReleaseAsync(string tenant, Guid id, string actor, CancellationToken cancellation) => cases.ReleaseAsync(tenant, id, actor, cancellation);

    /// <inheritdoc cref="CaseStore.AddNoteAsync"/>
    public Task<StoredNote?> AddNoteAsync(string tenant, Guid id, string author, string text, CancellationToken cancellation) => cases.AddNoteAsync(tenant, id, author, text, cancellation);

    /// <inheritdoc cref="CaseStore.ResolveAsync"/>
    public async Task<CaseResolved> ResolveAsync(string tenant, Guid id, long? revision, ReviewDecision decision, CancellationToken cancellation)
    {
        var resolved = await cases.ResolveAsync(tenant, id, revision, decision, cancellation);
        if (resolved.Decision is not null) changes.Announce(ChangeTopic.Decisions);
        return resolved;
    }

    /// <inheritdoc cref="CaseStore.EscalateAsync"/>
    public Task<CaseChange> EscalateAsync(string tenant, Guid id, long? revision, string actor, string note, CancellationToken cancellation) =>
        cases.EscalateAsync(tenant, id, revision, actor, note, cancellation);

    /// <param name="code">As <see cref="Storage.Screening.OutwardCode.Read"/> gives it.</param>
    /// <param name="text">The applicant's words; empty: none.</param>
    public Task<CaseChange> AppealAsync(string tenant, string code, string text, string actor, CancellationToken cancellation) =>
        cases.AppealAsync(tenant, code, text.Length == 0 ? null : cipher.SealText(tenant, AppealPurpose, text), actor, cancellation);

    /// <summary>A signup's request and the objections of its applicant, in the clear. Recorded first, with its reason.</summary>
    /// <returns>Null when there is no such signup.</returns>
    /// <exception cref="InvalidDataException">They can't be opened: damaged, or sealed under a key that is not at hand.</exception>
    public async Task<RevealedSignup?> RevealAsync(string tenant, string signupId, string actor, string reason, CancellationToken cancellation)
    {
        if (await cases.RevealAsync(tenant, signupId, actor, reason, cancellation) is not { } stored) return null;
        return new RevealedSignup(cipher.Open(tenant, stored.Facts).Signup, [.. stored.Appeals.Select(appeal => cipher.OpenText(tenant, AppealPurpose, appeal))]);
    }

    /// <inheritdoc cref="CaseStore.PreviewAsync"/>
    public Task<NetworkPreview?> PreviewAsync(string tenant, long cluster, CaseResolution resolution, IReadOnlyList<string> signupIds, CancellationToken cancellation) =>
        cases.PreviewAsync(tenant, cluster, resolution, signupIds, cancellation);

    /// <inheritdoc cref="CaseStore.StartResolutionAsync"/>
    public Task<NetworkStep> StartResolutionAsync(
        string tenant, long cluster, ClusterMark mark, ReviewDecision decision, IReadOnlyList<string> signupIds, bool overridePeople, CancellationToken cancellation) =>
        cases.StartResolutionAsync(tenant, cluster, mark, decision, signupIds, overridePeople, cancellation);

    /// <inheritdoc cref="CaseStore.GoOnAsync"/>
    public Task<NetworkStep> GoOnAsync(string tenant, long cluster, Guid id, string actor, CancellationToken cancellation) => cases.GoOnAsync(tenant, cluster, id, actor, cancellation);

    /// <summary>Decides the next members. What is on its way is finished, whoever hangs up meanwhile.</summary>
    public async Task<NetworkStep> ResolveNextAsync(string tenant, Guid id)
    {
        var step = await cases.ResolveNextAsync(tenant, id, stored => CaseFacts.Open(cipher, tenant, stored, log), CancellationToken.None);
        if (step.Progress is not null) changes.Announce(ChangeTopic.Decisions);
        return step;
    }

    /// <returns>Members taken out; null when there is no such network.</returns>
    public async Task<int?> SplitAsync(string tenant, long cluster, IReadOnlyList<string> signupIds, string actor, string reason, CancellationToken cancellation) =>
        await clusters.SplitAsync(tenant, cluster, await clusters.OrdinalsAsync(tenant, signupIds, cancellation), actor, reason, cancellation);

    /// <param name="reference">12 hexadecimal digits, as evidence names the key.</param>
    /// <returns>Null when there is no such key.</returns>
    public async Task<StoredExemption?> ExemptKeyAsync(string tenant, string reference, string reason, string actor, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        await clusters.FindKeyAsync(tenant, reference, cancellation) is { } key ? await clusters.ExemptKeyAsync(tenant, key, reason, actor, expiresAt, cancellation) : null;

    /// <param name="reference">12 hexadecimal digits, as evidence names the key.</param>
    /// <returns>False when there is no such key, or it is not exempt.</returns>
    public async Task<bool> EndExemptionAsync(string tenant, string reference, string actor, CancellationToken cancellation) =>
        await clusters.FindKeyAsync(tenant, reference, cancellation) is { } key && await clusters.EndExemptionAsync(tenant, key, actor, cancellation);

    private static TimeSpan Lease(int seconds) => seconds == 0 ? LeaseDefault : TimeSpan.FromSeconds(seconds);
}

/// <summary>A signup as it was sent.</summary>
/// <param name="Signup">The contract's message, serialised.</param>
public sealed record RevealedSignup(byte[] Signup, IReadOnlyList<string> Appeals);
