using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Service.Changes;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Policies;

namespace SignupGuard.Service.Screening;

/// <summary>A policy ready for use. Immutable.</summary>
public sealed record PolicySnapshot(Policy Policy, LinkKeyDerivation Keys);

/// <summary>
/// The policy in force: a snapshot, swapped as a whole. Asked for when another replica tells of a change, and every
/// <see cref="ScreeningOptions.PolicyPollMs"/> anyway; while the
/// database can't be reached, or holds a version that doesn't validate, the last good one stays, and every answer names it.
/// </summary>
public sealed class ActivePolicy(
    PolicyStore store,
    KeyHasher hasher,
    ChangeNotifications changes,
    TimeProvider clock,
    IOptions<ScreeningOptions> options,
    ILogger<ActivePolicy> log) : BackgroundService
{
    private volatile PolicySnapshot? _snapshot;

    /// <exception cref="InvalidOperationException">The host has not started.</exception>
    public PolicySnapshot Snapshot => _snapshot ?? throw new InvalidOperationException("No policy is loaded yet.");

    public bool Loaded => _snapshot is not null;

    /// <summary>The first load is part of the start: without a policy nothing may be screened.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Use(await store.LoadActiveAsync(clock, cancellationToken));
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromMilliseconds(options.Value.PolicyPollMs);
        var failing = false;
        while (true)
        {
            var next = changes.Next(ChangeTopic.Policy);
            try
            {
                if (await store.ActiveVersionAsync(stoppingToken) != Snapshot.Policy.Version) Use(await store.LoadActiveAsync(clock, stoppingToken));
                failing = false;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // Said once, not every second.
                if (!failing) ScreeningLog.PolicyPollFailed(log, Snapshot.Policy.Version, Fault.Describe(failure));
                failing = true;
            }
            await changes.WaitAsync(next, poll, stoppingToken);
        }
    }

    private void Use(Policy policy)
    {
        _snapshot = new PolicySnapshot(policy, new LinkKeyDerivation(hasher, policy.Linkage.Rules));
        ScreeningLog.PolicyLoaded(log, policy.Version, policy.Rules.Count, policy.Linkage.Rules.Count);
    }
}
