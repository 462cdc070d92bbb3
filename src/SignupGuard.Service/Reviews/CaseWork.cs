using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>What reviewers do to cases, networks and keys, with all that follows from it.</summary>
public sealed class CaseWork(CaseStore cases, TimeProvider clock)
{
    public const int LeaseSecondsMin = 60;
    public const int LeaseSecondsMax = 86_400;

    /// <summary>Long enough to read a case, short enough that a forgotten one comes back the same morning.</summary>
    private static readonly TimeSpan LeaseDefault = TimeSpan.FromMinutes(15);

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

    private static TimeSpan Lease(int seconds) => seconds == 0 ? LeaseDefault : TimeSpan.FromSeconds(seconds);
}
