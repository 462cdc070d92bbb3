using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Lists;

namespace SignupGuard.Service.Lists;

/// <summary>Clears away what was removed from lists or has expired. Replicas may do so side by side.</summary>
internal sealed class ListRetentionSchedule(ListStore store, TimeProvider clock, ILogger<ListRetentionSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Period, clock, stoppingToken);
            try
            {
                var purged = await store.PurgeAsync(stoppingToken);
                if (purged > 0) ListLog.Purged(log, purged);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Next time: a table somewhat larger hurts nobody.
                ListLog.PurgeFailed(log, Fault.Describe(failure));
            }
        }
    }
}
