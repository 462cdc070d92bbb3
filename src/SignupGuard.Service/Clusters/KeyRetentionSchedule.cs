using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Clusters;

/// <summary>
/// Forgets cold link keys from time to time. Replicas may do so side by side: what one holds or has forgotten, the other passes over.
/// <c>Clusters:ForgetKeys=false</c> turns it off on a replica, as a backfill of old signups needs.
/// </summary>
internal sealed class KeyRetentionSchedule(KeyRetention retention, ActivePolicy policies, IConfiguration configuration, TimeProvider clock, ILogger<KeyRetentionSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!configuration.GetValue("Clusters:ForgetKeys", true)) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Period, clock, stoppingToken);
            try
            {
                var forgotten = await retention.ForgetAsync(policies.Snapshot.Policy.Linkage.Rules, stoppingToken);
                if (forgotten > 0) ClusterLog.KeysForgotten(log, forgotten);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Next time: a table somewhat larger hurts nobody.
                ClusterLog.ForgettingFailed(log, Fault.Describe(failure));
            }
        }
    }
}
