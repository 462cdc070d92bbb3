using Microsoft.Extensions.Logging;
using SignupGuard.Service.Hosting;
using SignupGuard.Storage.Lists;

namespace SignupGuard.Service.Lists;

/// <summary>Clears away what was removed from lists or has expired. Replicas may do so side by side.</summary>
internal sealed class ListRetentionSchedule(ListStore store, TimeProvider clock, ILogger<ListRetentionSchedule> log) : RetentionSchedule(Period, clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    protected override async Task ClearAsync(CancellationToken cancellation)
    {
        var purged = await store.PurgeAsync(cancellation);
        if (purged > 0) ListLog.Purged(log, purged);
    }

    protected override void LogFailed(string fault) => ListLog.PurgeFailed(log, fault);
}
