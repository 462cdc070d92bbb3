using Microsoft.Extensions.Hosting;
using SignupGuard.Service.Screening;

namespace SignupGuard.Service.Hosting;

/// <summary>
/// Work that is left for after the answer, tenant by tenant. Every replica runs one of a kind; what a worker does for a tenant is under a row lock, so one
/// at a time works for it, and what a fault or a kill interrupts is done again by whoever comes next.
/// </summary>
/// <param name="idlePause">Pause while nothing waits.</param>
public abstract class TenantWorker(TimeProvider clock, TimeSpan idlePause) : BackgroundService
{
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    /// <summary>No tenant has this name: what failed was asking who has work.</summary>
    private const string Everyone = "";

    /// <summary>Tenants whose work failed, and until when it rests: theirs alone, and said once.</summary>
    private readonly Dictionary<string, DateTimeOffset> _resting = new(StringComparer.Ordinal);

    /// <summary>One turn for each tenant that has work. For those who drive it themselves.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        var any = false;
        foreach (var tenant in await TenantsWithWorkAsync(cancellation)) any |= await TurnAsync(tenant, cancellation);
        return any;
    }

    protected abstract Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation);

    /// <summary>Works for one tenant, a bounded time.</summary>
    /// <returns>Whether there was anything.</returns>
    protected abstract Task<bool> TurnAsync(string tenant, CancellationToken cancellation);

    /// <summary>Logs that work failed and waits where it is stored.</summary>
    protected abstract void LogFailed(string fault);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var any = false;
            try
            {
                foreach (var tenant in await TenantsWithWorkAsync(stoppingToken))
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
            if (!any) await Task.Delay(idlePause, clock, stoppingToken);
        }
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
            Rest(tenant, failure);
            return false;
        }
    }

    private void Rest(string tenant, Exception failure)
    {
        if (!_resting.ContainsKey(tenant)) LogFailed(Fault.Describe(failure));
        _resting[tenant] = clock.GetUtcNow() + FaultPause;
    }
}
