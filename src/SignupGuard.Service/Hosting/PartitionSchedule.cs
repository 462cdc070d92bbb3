using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Partitions;

namespace SignupGuard.Service.Hosting;

/// <summary>Keeps the coming months' partitions ready. A failure is no hurry: months are made long ahead, and rows find a default partition.</summary>
internal sealed class PartitionSchedule(PartitionMaintenance maintenance, TimeProvider clock, ILogger<PartitionSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = Period;
            try
            {
                foreach (var partition in await maintenance.EnsureAsync(stoppingToken)) HostLog.PartitionCreated(log, partition);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                HostLog.PartitionsFailed(log, Fault.Describe(failure));
                next = RetryAfter;
            }
            await Task.Delay(next, clock, stoppingToken);
        }
    }
}
