using SignupGuard.Service.Changes;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>What reviewers do to cases, networks and keys, with all that follows from it.</summary>
public sealed class CaseWork(CaseStore cases, FactsCipher cipher, ChangeNotifications changes, TimeProvider clock)
{
    public const int LeaseSecondsMin = 60;
    public const int LeaseSecondsMax = 86_400;

    /// <summary>Long enough to read a case, short enough that a forgotten one comes back the same morning.</summary>
    private static readonly TimeSpan LeaseDefault = TimeSpan.FromMinutes(15);

    /// <summary>What applicants' sealed words are, to the cipher.</summary>
    private const string AppealPurpose = "appeal";

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <param name="states">Empty: open.</param>
    /// <param name="leaseSeconds">0: the default.</param>
    /// <returns>Null when none is left.</returns>
    public Task<StoredCase?> ClaimNextAsync(string tenant, string actor, IReadOnlyList<CaseState> states, int leaseSeconds, CancellationToken cancellation) =>
        cases.ClaimNextAsync(tenant, actor, states.Count == 0 ? [CaseState.Open] : states, Lease(leaseSeconds), cancellation);

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

    private static TimeSpan Lease(int seconds) => seconds == 0 ? LeaseDefault : TimeSpan.FromSeconds(seconds);
}

/// <summary>A signup as it was sent.</summary>
/// <param name="Signup">The contract's message, serialised.</param>
public sealed record RevealedSignup(byte[] Signup, IReadOnlyList<string> Appeals);
