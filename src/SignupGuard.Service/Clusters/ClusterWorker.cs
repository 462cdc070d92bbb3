using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Clusters;

/// <summary>
/// What linkage leaves for after the answer: joins networks by their promoted keys, and decides their members again. Every replica runs one;
/// a row lock lets one at a time work for a tenant. What a fault or a kill interrupts is done again by whoever comes next.
/// </summary>
public sealed class ClusterWorker(ClusterStore store, ActivePolicy policies, FactsCipher cipher, TimeProvider clock, ILogger<ClusterWorker> log) : BackgroundService
{
    /// <summary>Pause while nothing waits: a network shows well within a second of the signup that made it.</summary>
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(150);

    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = IdlePause;
            try
            {
                if (await RunOnceAsync(stoppingToken)) pause = TimeSpan.Zero;
                failing = false;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // The work stays where it is stored; said once, not every second.
                if (!failing) ClusterLog.Failed(log, Fault.Describe(failure));
                failing = true;
                pause = FaultPause;
            }
            if (pause > TimeSpan.Zero) await Task.Delay(pause, clock, stoppingToken);
        }
    }

    /// <summary>Works off what waits now: all ties, then all second looks.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        var any = false;
        foreach (var tenant in await store.TenantsWithWorkAsync(cancellation))
        {
            while (await store.ApplyTiesAsync(tenant, cancellation) > 0) any = true;
            any |= await LookAgainAsync(tenant, policies.Snapshot, cancellation);
        }
        return any;
    }

    private async Task<bool> LookAgainAsync(string tenant, PolicySnapshot policy, CancellationToken cancellation)
    {
        var (any, position) = (false, default(SecondLookPosition));
        while (await store.LookAgainAsync(tenant, policy.Policy, policy.Keys, stored => Open(tenant, stored), position, cancellation) is { } step)
        {
            any = true;
            position = step.Next;
            if (step.Changed > 0) ClusterLog.DecidedAgain(log, step.Changed);
            // Ties that came in meanwhile go first: they may show more.
            if (position == default) break;
        }
        return any;
    }

    private OpenedFacts Open(string tenant, byte[] stored)
    {
        var facts = cipher.Open(tenant, stored);
        return new OpenedFacts(SignupMap.ToCore(V1.Signup.Parser.ParseFrom(facts.Signup)), facts.Signals);
    }
}

internal static partial class ClusterLog
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Error, Message = "Networks could not be worked on and wait: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(EventId = 401, Level = LogLevel.Debug, Message = "{Count} decisions changed because their network showed")]
    public static partial void DecidedAgain(ILogger logger, int count);
}
