using Microsoft.Extensions.Logging;
using SignupGuard.Service.Hosting;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>Forgets cases whose signups retention dropped, from time to time. Replicas take turns under the networks' lock.</summary>
internal sealed class CaseRetentionSchedule(CaseStore store, TimeProvider clock, ILogger<CaseRetentionSchedule> log) : RetentionSchedule(Period, clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);

    protected override async Task ClearAsync(CancellationToken cancellation)
    {
        var forgotten = 0L;
        foreach (var tenant in await store.TenantsAsync(cancellation)) forgotten += await store.ForgetAsync(tenant, cancellation);
        if (forgotten > 0) CaseLog.Forgotten(log, forgotten);
    }

    protected override void LogFailed(string fault) => CaseLog.ForgettingFailed(log, fault);
}
