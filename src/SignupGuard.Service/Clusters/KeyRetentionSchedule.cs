using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Hosting;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Clusters;

/// <summary>
/// Forgets cold link keys from time to time. Replicas may do so side by side: what one holds or has forgotten, the other passes over.
/// <c>Clusters:ForgetKeys=false</c> turns it off on a replica, as a backfill of old signups needs.
/// </summary>
internal sealed class KeyRetentionSchedule(KeyRetention retention, ActivePolicy policies, IConfiguration configuration, TimeProvider clock, ILogger<KeyRetentionSchedule> log)
    : RetentionSchedule(Period, clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        configuration.GetValue("Clusters:ForgetKeys", true) ? base.ExecuteAsync(stoppingToken) : Task.CompletedTask;

    protected override async Task ClearAsync(CancellationToken cancellation)
    {
        var forgotten = await retention.ForgetAsync(policies.Snapshot.Policy.Linkage.Rules, cancellation);
        if (forgotten > 0) ClusterLog.KeysForgotten(log, forgotten);
    }

    protected override void LogFailed(string fault) => ClusterLog.ForgettingFailed(log, fault);
}
