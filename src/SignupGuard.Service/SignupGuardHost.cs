using System.Net;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using SignupGuard.Console.Hosting;
using SignupGuard.Service.Backtests;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Clusters;
using SignupGuard.Service.Hosting;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Reviews;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Screening.Collectors;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Backtests;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Lists;
using SignupGuard.Storage.Outcomes;
using SignupGuard.Storage.Partitions;
using SignupGuard.Storage.Policies;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service;

/// <summary>
/// The running service: database, screening path and transport, put together from the configuration (appsettings.json of the working
/// folder, environment variables, then the caller's settings). Several may run in one process, on one database or each on its own.
/// </summary>
public sealed class SignupGuardHost : IAsyncDisposable
{
    /// <summary>Largest message, bytes: room for every bound of the contract at once, and for naming the field that is far too long.</summary>
    public const int MessageBytesMax = 2 * 1024 * 1024;

    /// <summary>Time for those on their way when the service stops.</summary>
    private static readonly TimeSpan ShutdownTimeMax = TimeSpan.FromSeconds(15);

    private readonly WebApplication _app;
    private readonly DatabaseAccess _database;

    private readonly PrivateDoor? _door;
    private GrpcChannel? _channel;
    private ConsoleApp? _console;

    private SignupGuardHost(WebApplication app, PrivateDoor? door, DatabaseAccess database, Uri grpcAddress, Uri httpAddress)
    {
        _app = app;
        _door = door;
        _database = database;
        GrpcAddress = grpcAddress;
        HttpAddress = httpAddress;
    }

    /// <summary>gRPC over HTTP/2 without TLS.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>JSON and health pages over HTTP/1.1.</summary>
    public Uri HttpAddress { get; }

    /// <summary>The console's pages over HTTP/1.1; null where this replica serves none.</summary>
    public Uri? ConsoleAddress => _console is { } console ? Address(console.EndPoint) : null;

    /// <summary>Where a person signs in to the console, once; another after each use. Null where this replica serves none.</summary>
    public Uri? ConsoleSignInLink => _console?.SignInLink;

    /// <summary>Where the private Postgres keeps its data; null with a configured database.</summary>
    public string? DataFolder => _database.DataFolder;

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts the service. When it returns, signups are screened.</summary>
    /// <param name="settings">Configuration keys ("Listen:GrpcPort") over those of files and environment.</param>
    /// <param name="configure">Last changes to the host: logging, tests' own parts.</param>
    /// <exception cref="HostStartException">It can't start; the message says what helps.</exception>
    public static async Task<SignupGuardHost> StartAsync(
        IReadOnlyDictionary<string, string?> settings,
        Action<WebApplicationBuilder>? configure = null,
        CancellationToken cancellation = default)
    {
        if (!TimeZones.DataPresent) throw new HostStartException("This machine has no time zone data, so no time zone could be checked. Install the package tzdata.");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ApplicationName = typeof(SignupGuardHost).Assembly.GetName().Name });
        builder.Configuration.AddInMemoryCollection(settings);
        // The standard output is for results.
        builder.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        // A request's path may hold a signup's id.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Logging.AddFilter("Grpc", LogLevel.Warning);
        // It writes exceptions with their messages, which quote what was sent. FaultInterceptor and UnreadableRequests log every failure.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        builder.Logging.AddFilter("Npgsql", LogLevel.Warning);
        configure?.Invoke(builder);

        var listen = new Hosting.ListenOptions();
        builder.Configuration.GetSection(Hosting.ListenOptions.Section).Bind(listen);
        var door = listen.Console ? new PrivateDoor() : null;
        var (grpc, http) = Listen(builder, listen, door);
        AddScreening(builder.Services);
        builder.Services.AddSignals(builder.Configuration);
        AddTransport(builder.Services);

        DatabaseAccess? database = null;
        SignupGuardHost? host = null;
        AddStorage(builder.Services, () => database ?? throw new InvalidOperationException("The database is opened before the host starts."));
        var app = builder.Build();
        try
        {
            Map(app);
            // Before anything is started for settings that can't be right.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            var logs = app.Services.GetRequiredService<ILoggerFactory>();
            database = await DatabaseAccess.OpenAsync(app.Configuration, logs, cancellation);
            await app.StartAsync(cancellation);
            host = new SignupGuardHost(app, door, database, Address(grpc()), Address(http()));
            if (door is not null) await host.StartConsoleAsync(IPAddress.Parse(listen.Address), listen.ConsolePort, door, logs, cancellation);
            var log = logs.CreateLogger<SignupGuardHost>();
            if (database.DataFolder is { } folder) HostLog.Embedded(log, folder);
            HostLog.Listening(log, host.GrpcAddress, host.HttpAddress);
            if (host.ConsoleAddress is { } console) HostLog.ConsoleListening(log, console);
            return host;
        }
        catch (Exception failure)
        {
            if (host is not null)
            {
                await host.DisposeAsync();
            }
            else
            {
                await app.DisposeAsync();
                door?.Dispose();
                if (database is not null) await database.DisposeAsync();
            }
            if (failure is IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException })
                throw new HostStartException($"{failure.Message.TrimEnd('.')}. Stop what listens there, or choose other ports (Listen:GrpcPort, Listen:HttpPort, Listen:ConsolePort).", failure);
            if (Settings(failure) is { } settingsFailure) throw new HostStartException(settingsFailure, failure);
            throw;
        }
    }

    /// <summary>What is wrong with the settings; null when that is not what failed.</summary>
    private static string? Settings(Exception failure) => failure switch
    {
        OptionsValidationException one => string.Join(Environment.NewLine, one.Failures),
        AggregateException { InnerExceptions: var several } when several.All(one => one is OptionsValidationException) =>
            string.Join(Environment.NewLine, several.Select(Settings)),
        _ => null,
    };

    /// <summary>Ends when the process is asked to end (SIGINT, SIGTERM) or the token is cancelled; then the service has stopped.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellation = default) => _app.WaitForShutdownAsync(cancellation);

    /// <summary>Stops taking signups, commits those that wait, then stops the private Postgres if there is one.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_console is not null) await _console.DisposeAsync();
        _channel?.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _door?.Dispose();
        await _database.DisposeAsync();
    }

    private async Task StartConsoleAsync(IPAddress address, int port, PrivateDoor door, ILoggerFactory logs, CancellationToken cancellation)
    {
        _channel = door.Connect();
        _console = await ConsoleApp.StartAsync(address, port, _channel.CreateCallInvoker(), logs, cancellation);
    }

    private static (Func<IPEndPoint> Grpc, Func<IPEndPoint> Http) Listen(WebApplicationBuilder builder, Hosting.ListenOptions listen, PrivateDoor? door)
    {
        // The server takes them while the host is built.
        if (new ListenOptionsValidator().Validate(null, listen) is { Failed: true } check) throw new HostStartException(check.FailureMessage);
        if (!IPAddress.TryParse(listen.Address, out var address)) throw new HostStartException($"Listen:Address is no IP address: {listen.Address}.");
        Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions? grpc = null;
        Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions? http = null;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MessageBytesMax;
            // Without TLS a connection can't agree on a protocol, so each port has its own.
            kestrel.Listen(address, listen.GrpcPort, endpoint => (grpc = endpoint).Protocols = HttpProtocols.Http2);
            kestrel.Listen(address, listen.HttpPort, endpoint => (http = endpoint).Protocols = HttpProtocols.Http1);
            if (door is not null) kestrel.ListenUnixSocket(door.Path, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        return (() => grpc!.IPEndPoint!, () => http!.IPEndPoint!);
    }

    /// <summary>For callers on this machine: the loopback address where the service listens on all.</summary>
    private static Uri Address(IPEndPoint endpoint)
    {
        var address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : endpoint.Address;
        return new Uri($"http://{new IPEndPoint(address, endpoint.Port)}");
    }

    private static void AddStorage(IServiceCollection services, Func<DatabaseAccess> database)
    {
        services.AddSingleton(_ => database().Source);
        services.AddSingleton(_ => database().Hasher);
        services.AddSingleton(_ => database().Cipher);
        services.AddDbContextFactory<SignupGuardDbContext>((_, options) => SignupGuardDbContext.Configure(options, database().Source));
        services.AddSingleton<PartitionMaintenance>();
        services.AddHostedService<PartitionSchedule>();
        services.AddSingleton<PolicyStore>();
        services.AddSingleton<ShadowStore>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<ScreeningStore>();
        services.AddSingleton<DecisionReader>();
        services.AddSingleton<OutcomeStore>();
        services.AddSingleton<CaseStore>();
        services.AddHostedService<CaseRetentionSchedule>();
        services.AddSingleton<CaseSearch>();
        services.AddSingleton<CaseReader>();
        services.AddSingleton<SignupSearch>();
        services.AddSingleton<SignupReader>();
        services.AddSingleton<ExemptionReader>();
        services.AddSingleton<ReviewStatistics>();
        services.AddSingleton<ClusterReader>();
        services.AddSingleton<ClusterStore>();
        services.AddSingleton<StoredSignups>();
        services.AddSingleton<KeyRetention>();
        services.AddHostedService<KeyRetentionSchedule>();
        services.AddSingleton<ListStore>();
        services.AddHostedService<ListRetentionSchedule>();
    }

    private static void AddScreening(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddOptions<ScreeningOptions>().BindConfiguration(ScreeningOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ScreeningOptions>, ScreeningOptionsValidator>();
        services.AddSingleton<ScreeningPipeline>();
        services.AddOptions<ChangeOptions>().BindConfiguration(ChangeOptions.Section);
        services.AddSingleton<ChangeNotifications>();
        services.AddHostedService(provider => provider.GetRequiredService<ChangeNotifications>());
        // In this order they start, the transport last; in the reverse order they stop: no call comes in while the queue drains.
        services.AddSingleton<ActivePolicy>();
        services.AddHostedService(provider => provider.GetRequiredService<ActivePolicy>());
        services.AddSingleton<ActiveLists>();
        services.AddHostedService(provider => provider.GetRequiredService<ActiveLists>());
        services.AddHostedService<WarmUp>();
        services.AddOptions<PolicyOptions>().BindConfiguration(PolicyOptions.Section);
        services.AddSingleton<ShadowComparison>();
        services.AddHostedService(provider => provider.GetRequiredService<ShadowComparison>());
        services.AddSingleton<GroupCommit>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommit>());
        services.AddSingleton<BacktestRun>();
        services.AddSingleton<ClusterWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterWorker>());
        services.AddSingleton<CaseWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<CaseWorker>());
        services.AddSingleton<CaseWork>();
        services.AddSingleton<CaseReading>();
        services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeMax);
    }

    private static void AddTransport(IServiceCollection services)
    {
        services.AddSingleton<RequestValidation>();
        services.AddSingleton<ListValidation>();
        services.AddGrpc(options =>
            {
                options.MaxReceiveMessageSize = MessageBytesMax;
                options.EnableDetailedErrors = false;
                options.Interceptors.Add<FaultInterceptor>();
            })
            .AddJsonTranscoding(options => options.TypeRegistry = UnreadableRequests.ErrorDetails);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks().AddCheck<DatabaseHealth>("database");
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<UnreadableRequests>();
        app.MapGrpcService<ScreeningGrpcService>();
        app.MapGrpcService<PolicyGrpcService>();
        app.MapGrpcService<ListGrpcService>();
        app.MapGrpcService<ReviewGrpcService>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
        // Alive: the process answers. Ready: it would screen.
        app.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/readyz");
    }
}
