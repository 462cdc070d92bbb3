using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using SignupGuard.Service.Screening;

namespace SignupGuard.Service.Hosting;

/// <summary>Ready means that a signup would be screened in full: a policy is loaded and the database answers.</summary>
internal sealed class DatabaseHealth(NpgsqlDataSource source, ActivePolicy policy) : IHealthCheck
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!policy.Loaded) return HealthCheckResult.Unhealthy("No policy is loaded.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeMax);
        try
        {
            await using var command = source.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(limit.Token);
            // It screens, by the last good policy, and somebody must look.
            return policy.Problem is { } problem ? HealthCheckResult.Degraded(problem) : HealthCheckResult.Healthy();
        }
        catch (Exception failure) when (Fault.IsPassing(failure) || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return HealthCheckResult.Unhealthy("The database does not answer.");
        }
    }
}
