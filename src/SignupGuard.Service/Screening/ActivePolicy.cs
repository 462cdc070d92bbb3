using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Telemetry;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Policies;

namespace SignupGuard.Service.Screening;

/// <summary>A policy ready for use. Immutable.</summary>
public sealed record PolicySnapshot(Policy Policy, LinkKeyDerivation Keys)
{
    /// <summary>Policies that judge the same signups without effect.</summary>
    public IReadOnlyList<LoadedPolicy> Shadows { get; init; } = [];
}

/// <summary>
/// The policy in force: a snapshot, swapped as a whole. Asked for when another replica tells of a change, and every
/// <see cref="ScreeningOptions.PolicyPollMs"/> anyway; while the database can't be reached, or holds a version that can't be used, the last good one
/// stays, and every answer names it. At a start the last good one is the latest that was in force and can be used.
/// </summary>
public sealed class ActivePolicy(
    PolicyStore store,
    KeyHasher hasher,
    ChangeNotifications changes,
    TimeProvider clock,
    IOptions<ScreeningOptions> options,
    ILogger<ActivePolicy> log) : BackgroundService
{
    /// <summary>The version that decisions name when no stored one can be used.</summary>
    public const long ShippedVersion = 0;

    private readonly HashSet<long> _unusable = [];
    private volatile PolicySnapshot? _snapshot;
    private volatile string? _problem;
    private PolicyMarks _marks = PolicyMarks.None;

    /// <exception cref="InvalidOperationException">The host has not started.</exception>
    public PolicySnapshot Snapshot => _snapshot ?? throw new InvalidOperationException("No policy is loaded yet.");

    public bool Loaded => _snapshot is not null;

    /// <summary>What is wrong with the stored policies, for an operator; null for nothing.</summary>
    public string? Problem => _problem;

    /// <summary>The first load is part of the start: without a policy nothing may be screened.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await UseAsync(await store.LoadAsync(clock.GetUtcNow(), cancellationToken), cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => changes.FollowAsync(
        ChangeTopic.Policy,
        TimeSpan.FromMilliseconds(options.Value.PolicyPollMs),
        RefreshAsync,
        failure => ScreeningLog.PolicyPollFailed(log, Snapshot.Policy.Version, Fault.Describe(failure)),
        stoppingToken);

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        if (await store.MarksAsync(cancellation) != _marks) await UseAsync(await store.LoadAsync(clock.GetUtcNow(), cancellation), cancellation);
    }

    private async Task UseAsync(LoadedPolicies loaded, CancellationToken cancellation)
    {
        foreach (var unusable in loaded.Unusable)
        {
            // Loudly, but once a version.
            if (!_unusable.Add(unusable.Version)) continue;
            Instruments.PoliciesUnusable.Add(1);
            // Where, not what: messages quote the document.
            PolicyLog.Unusable(log, unusable.Version, unusable.Issues.Count, unusable.Issues[0].Path is { Length: > 0 } path ? path : "the document");
        }
        _unusable.IntersectWith(loaded.Unusable.Select(unusable => unusable.Version));

        var policy = loaded.Active ?? _snapshot?.Policy ?? await store.LastUsableAsync(cancellation) ?? Shipped();
        var problem = loaded.Active is null ? $"The active policy version can't be used; version {policy.Version} stays in force."
            : loaded.Unusable.Count > 0 ? "A shadow policy can't be used."
            : null;
        if (loaded.Active is null && policy.Version == ShippedVersion) PolicyLog.FellBackToShipped(log);
        else if (loaded.Active is null) PolicyLog.FellBack(log, policy.Version);
        else if (problem is null && _problem is not null) PolicyLog.Recovered(log);

        if (!ReferenceEquals(policy, _snapshot?.Policy)) ScreeningLog.PolicyLoaded(log, policy.Version, policy.Rules.Count, policy.Linkage.Rules.Count);
        foreach (var shadow in loaded.Shadows.Where(shadow => _snapshot?.Shadows.Any(running => running.Run == shadow.Run && running.Policy.Version == shadow.Policy.Version) != true))
            PolicyLog.Shadow(log, shadow.Policy.Version);
        _snapshot = new PolicySnapshot(policy, new LinkKeyDerivation(hasher, policy.Linkage.Rules)) { Shadows = loaded.Shadows };
        _problem = problem;
        _marks = loaded.Marks;
    }

    private static Policy Shipped() =>
        PolicyReader.Read(DefaultPolicy.Yaml, ShippedVersion).Policy ?? throw new InvalidOperationException("The policy that comes with the program does not validate.");
}
