using Microsoft.Extensions.Hosting;
using SignupGuard.Service.Screening;

namespace SignupGuard.Service.Hosting;

/// <summary>Clears away what is kept no longer, from time to time, the first time after one period. A failure waits for the next: what stays somewhat longer hurts nobody.</summary>
internal abstract class RetentionSchedule(TimeSpan period, TimeProvider clock) : BackgroundService
{
    /// <summary>Clears away, and logs what went.</summary>
    protected abstract Task ClearAsync(CancellationToken cancellation);

    protected abstract void LogFailed(string fault);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(period, clock, stoppingToken);
            try
            {
                await ClearAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(Fault.Describe(failure));
            }
        }
    }
}
