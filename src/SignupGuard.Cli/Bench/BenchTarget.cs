using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignupGuard.Cli.Commands;
using SignupGuard.Migrations;
using SignupGuard.Service.Embedded;
using SignupGuard.Service.Hosting;
using SignupGuard.Storage;

namespace SignupGuard.Cli.Bench;

/// <summary>What is measured: the service at an address, or replicas of its own on the configured or a private database.</summary>
internal sealed class BenchTarget : IAsyncDisposable
{
    private readonly List<ReplicaProcess> _replicas = [];
    private EmbeddedPostgres? _postgres;
    private string? _ownFolder;

    private BenchTarget()
    {
    }

    /// <summary>Of gRPC, by replica.</summary>
    public IReadOnlyList<Uri> Addresses { get; private set; } = [];

    /// <summary>Null with an address and no configured database.</summary>
    public string? ConnectionString { get; private set; }

    /// <summary>Slowest start of a replica; null with an address.</summary>
    public TimeSpan? ReadyAfter => _replicas.Count == 0 ? null : _replicas.Max(replica => replica.ReadyAfter);

    public static async Task<BenchTarget> OpenAsync(BenchOptions options, CancellationToken cancellation)
    {
        var target = new BenchTarget { ConnectionString = EvaluateCommand.Configuration().GetConnectionString("SignupGuard") };
        try
        {
            if (options.Address is { } address)
            {
                target.Addresses = [address];
                return target;
            }
            var environment = new Dictionary<string, string>();
            if (string.IsNullOrEmpty(target.ConnectionString)) await target.StartPostgresAsync(options, environment, cancellation);
            for (var i = 0; i < options.Replicas; i++) target._replicas.Add(await ReplicaProcess.StartAsync(environment, cancellation));
            target.Addresses = target._replicas.ConvertAll(replica => replica.Address);
            return target;
        }
        catch (EmbeddedPostgresException failure)
        {
            await target.DisposeAsync();
            throw new HostStartException(failure.Message, failure);
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    /// <summary>Highest resident memory of a replica; null with an address.</summary>
    public long? PeakMemoryBytes() => _replicas.Max(replica => replica.PeakMemoryBytes());

    /// <summary>Processor time of all replicas; null with an address.</summary>
    public TimeSpan? ProcessorTime() =>
        _replicas.Count == 0 ? null : _replicas.Aggregate(TimeSpan.Zero, (sum, replica) => sum + (replica.ProcessorTime() ?? TimeSpan.Zero));

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas) await replica.DisposeAsync();
        if (_postgres is not null) await _postgres.DisposeAsync();
        if (_ownFolder is not null) Directory.Delete(_ownFolder, recursive: true);
    }

    private async Task StartPostgresAsync(BenchOptions options, Dictionary<string, string> environment, CancellationToken cancellation)
    {
        // Beside the usual place, so on the disk that a service would use; never in it, where real signups may be.
        if (options.DataFolder is null) _ownFolder = $"{EmbeddedPostgresOptions.DefaultDataFolder()}-bench-{Environment.ProcessId}";
        var embedded = new EmbeddedPostgresOptions { DataFolder = options.DataFolder ?? _ownFolder };
        _postgres = await EmbeddedPostgres.StartAsync(embedded, NullLogger.Instance, cancellation);
        ConnectionString = _postgres.ConnectionString;
        await using (var source = SignupGuardDataSource.Create(ConnectionString)) await DatabaseMigrator.MigrateAsync(source, cancellation);
        environment["ConnectionStrings__SignupGuard"] = new NpgsqlConnectionStringBuilder(ConnectionString).ConnectionString;
        environment["Secrets__LinkKey"] = Convert.ToBase64String(_postgres.Secrets.LinkKey);
        environment["Secrets__FactsKey"] = Convert.ToBase64String(_postgres.Secrets.FactsKey);
    }
}
