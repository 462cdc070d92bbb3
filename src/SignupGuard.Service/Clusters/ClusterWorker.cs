using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Clusters;

/// <summary>
/// What linkage leaves for after the answer: joins networks by their promoted keys, and decides their members again. Every replica runs one;
/// a row lock lets one at a time work for a tenant. What a fault or a kill interrupts is done again by whoever comes next.
/// </summary>
public sealed class ClusterWorker(
    ClusterStore store,
    ActivePolicy policies,
    ActiveLists lists,
    FactsCipher cipher,
    ChangeNotifications changes,
    TimeProvider clock,
    ILogger<ClusterWorker> log) : BackgroundService
{
    /// <summary>Pause while nothing waits: a network shows well within a second of the signup that made it.</summary>
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(150);

    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    /// <summary>Chunks worked off for one tenant before the others get their turn.</summary>
    private const int ChunksPerTurn = 50;

    /// <summary>Tenants whose work failed, and until when it rests: theirs alone, and said once.</summary>
    private readonly Dictionary<string, DateTimeOffset> _resting = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var any = false;
            try
            {
                foreach (var tenant in await store.TenantsWithWorkAsync(stoppingToken))
                {
                    if (_resting.TryGetValue(tenant, out var until) && clock.GetUtcNow() < until) continue;
                    any |= await TryTurnAsync(tenant, stoppingToken);
                }
                _resting.Remove(Everyone);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                Rest(Everyone, failure);
                await Task.Delay(FaultPause, clock, stoppingToken);
            }
            if (!any) await Task.Delay(IdlePause, clock, stoppingToken);
        }
    }

    /// <summary>No tenant has this name: what failed was asking who has work.</summary>
    private const string Everyone = "";

    /// <summary>One turn for each tenant that has work: ties first, then second looks, a bounded number of chunks. For those who drive it themselves.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        var any = false;
        foreach (var tenant in await store.TenantsWithWorkAsync(cancellation)) any |= await TurnAsync(tenant, cancellation);
        return any;
    }

    private async Task<bool> TryTurnAsync(string tenant, CancellationToken cancellation)
    {
        try
        {
            var any = await TurnAsync(tenant, cancellation);
            _resting.Remove(tenant);
            return any;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // The work stays where it is stored.
            Rest(tenant, failure);
            return false;
        }
    }

    private void Rest(string tenant, Exception failure)
    {
        if (!_resting.ContainsKey(tenant)) ClusterLog.Failed(log, Fault.Describe(failure));
        _resting[tenant] = clock.GetUtcNow() + FaultPause;
    }

    private async Task<bool> TurnAsync(string tenant, CancellationToken cancellation)
    {
        var policy = policies.Snapshot;
        var any = await store.EndExpiredAsync(tenant, cancellation) > 0;
        for (var chunk = 0; chunk < ChunksPerTurn; chunk++)
        {
            // Ties that came in meanwhile go first: they may show more.
            while (await store.ApplyTiesAsync(tenant, cancellation) > 0) any = true;
            if (await store.LookAgainAsync(tenant, policy.Policy, policy.Keys, stored => Open(tenant, stored), linkable => lists.Match(tenant, linkable, policy.Policy.Linkage.Rules), cancellation) is not { } looked) break;
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

    private OpenedFacts? Open(string tenant, byte[] stored)
    {
        try
        {
            var facts = cipher.Open(tenant, stored);
            return new OpenedFacts(SignupMap.ToCore(V1.Signup.Parser.ParseFrom(facts.Signup)), facts.Signals);
        }
        catch (InvalidDataException)
        {
            // Counted and logged by the caller. One member's facts under a key that is gone must not keep the network from its second look.
            return null;
        }
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
