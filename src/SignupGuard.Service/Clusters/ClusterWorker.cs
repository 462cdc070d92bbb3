using Microsoft.Extensions.Logging;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Hosting;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Clusters;

/// <summary>
/// What linkage leaves for after the answer: joins networks by their promoted keys, and decides their members again. One member's facts under a key that
/// is gone do not keep its network from the second look: they are counted and logged.
/// </summary>
public sealed class ClusterWorker(
    ClusterStore store,
    ActivePolicy policies,
    ActiveLists lists,
    FactsCipher cipher,
    ChangeNotifications changes,
    TimeProvider clock,
    ILogger<ClusterWorker> log) : TenantWorker(clock, IdlePause)
{
    /// <summary>Pause while nothing waits: a network shows well within a second of the signup that made it.</summary>
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(150);

    /// <summary>Chunks worked off for one tenant before the others get their turn.</summary>
    private const int ChunksPerTurn = 50;

    protected override Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation) => store.TenantsWithWorkAsync(cancellation);

    protected override void LogFailed(string fault) => ClusterLog.Failed(log, fault);

    /// <summary>Ties first, then second looks, a bounded number of chunks.</summary>
    protected override async Task<bool> TurnAsync(string tenant, CancellationToken cancellation)
    {
        var policy = policies.Snapshot;
        var any = await store.EndExpiredAsync(tenant, cancellation) > 0;
        for (var chunk = 0; chunk < ChunksPerTurn; chunk++)
        {
            // Ties that came in meanwhile go first: they may show more.
            while (await store.ApplyTiesAsync(tenant, cancellation) > 0) any = true;
            if (await store.LookAgainAsync(tenant, policy.Policy, policy.Keys, stored => StoredFacts.TryOpen(cipher, tenant, stored), linkable => lists.Match(tenant, linkable, policy.Policy.Linkage.Rules), cancellation) is not { } looked) break;
            any = true;
            if (looked.Changed > 0)
            {
                changes.Announce(ChangeTopic.Decisions);
                ClusterLog.DecidedAgain(log, looked.Changed);
            }
            if (looked.Unreadable > 0) ClusterLog.Unreadable(log, looked.Unreadable);
        }
        return any;
    }
}

internal static partial class ClusterLog
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Error, Message = "Networks could not be worked on and wait: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(EventId = 401, Level = LogLevel.Debug, Message = "{Count} decisions changed because their network showed")]
    public static partial void DecidedAgain(ILogger logger, int count);

    [LoggerMessage(EventId = 402, Level = LogLevel.Error, Message = "{Count} signups of a network could not be decided again: their stored facts can't be opened; is a retired facts key missing?")]
    public static partial void Unreadable(ILogger logger, int count);

    [LoggerMessage(EventId = 403, Level = LogLevel.Information, Message = "{Count} cold link keys were forgotten")]
    public static partial void KeysForgotten(ILogger logger, long count);

    [LoggerMessage(EventId = 404, Level = LogLevel.Error, Message = "Cold link keys could not be forgotten: {Fault}")]
    public static partial void ForgettingFailed(ILogger logger, string fault);
}
