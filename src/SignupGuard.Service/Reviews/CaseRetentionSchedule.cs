using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>Forgets cases whose signups retention dropped, from time to time. Replicas take turns under the networks' lock.</summary>
internal sealed class CaseRetentionSchedule(CaseStore store, TimeProvider clock, ILogger<CaseRetentionSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Period, clock, stoppingToken);
            try
            {
                var forgotten = 0L;
                foreach (var tenant in await store.TenantsAsync(stoppingToken)) forgotten += await store.ForgetAsync(tenant, stoppingToken);
                if (forgotten > 0) CaseLog.Forgotten(log, forgotten);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Next time: a case that shows no signup any more hurts nobody until then.
                CaseLog.ForgettingFailed(log, Fault.Describe(failure));
            }
        }
    }
}
