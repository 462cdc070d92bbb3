using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>
/// Opens and updates cases after the answer. Every replica runs one; a row lock lets one at a time work for a tenant. What a fault or a kill interrupts
/// is done by whoever comes next, once.
/// </summary>
public sealed class CaseWorker(CaseStore store, FactsCipher cipher, TimeProvider clock, ILogger<CaseWorker> log) : BackgroundService
{
    /// <summary>Pause while nothing is new: a case shows within a second of its decision.</summary>
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    /// <summary>Transactions for one tenant before the others get their turn.</summary>
    private const int ChunksPerTurn = 20;

    /// <summary>Said once, until it works again.</summary>
    private bool _failing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var any = false;
            var pause = IdlePause;
            try
            {
                any = await RunOnceAsync(stoppingToken);
                _failing = false;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // The cursor stays where it is.
                if (!_failing) CaseLog.Failed(log, Fault.Describe(failure));
                _failing = true;
                pause = FaultPause;
            }
            if (!any) await Task.Delay(pause, clock, stoppingToken);
        }
    }

    /// <summary>One turn for each tenant. For those who drive it themselves.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        var any = false;
        foreach (var tenant in await store.TenantsAsync(cancellation))
        {
            for (var chunk = 0; chunk < ChunksPerTurn && await store.FollowAsync(tenant, stored => Open(tenant, stored), cancellation) > 0; chunk++) any = true;
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
            // A case all the same: a flagged account must not stay unseen because a key is gone.
            CaseLog.Unreadable(log);
            return null;
        }
    }
}

internal static partial class CaseLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Error, Message = "Cases could not follow decisions and wait: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(EventId = 501, Level = LogLevel.Error, Message = "A case shows no country, network class or channel: its signup's stored facts can't be opened; is a retired facts key missing?")]
    public static partial void Unreadable(ILogger logger);
}
