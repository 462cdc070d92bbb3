using System.Collections.Concurrent;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>The real host on a real database, listening on free ports of the loopback address, and a client of it.</summary>
internal sealed class TestService : IAsyncDisposable
{
    /// <summary>The same for all hosts of a test: replicas share them.</summary>
    private static readonly string Key = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());

    private TestService(SignupGuardHost host, LogCapture logs)
    {
        Host = host;
        Logs = logs;
        Channel = GrpcChannel.ForAddress(host.GrpcAddress, new GrpcChannelOptions
        {
            // A connection carries a hundred calls at once; a thousand callers need more.
            HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true },
        });
        Client = new ScreeningService.ScreeningServiceClient(Channel);
        Http = new HttpClient { BaseAddress = host.HttpAddress };
    }

    public SignupGuardHost Host { get; }

    public LogCapture Logs { get; }

    public GrpcChannel Channel { get; }

    public ScreeningService.ScreeningServiceClient Client { get; }

    public HttpClient Http { get; }

    public static Dictionary<string, string?> Settings(TestDatabase database) => new()
    {
        ["ConnectionStrings:SignupGuard"] = database.ConnectionString,
        ["Secrets:LinkKey"] = Key,
        ["Secrets:FactsKey"] = Key,
        // A busy machine must not look like a slow collector.
        ["Signals:DeadlineMilliseconds"] = "5000",
        // Backtests have tests of their own.
        ["Policies:RequireBacktest"] = "false",
        ["Listen:GrpcPort"] = "0",
        ["Listen:HttpPort"] = "0",
        // Pages have tests of their own.
        ["Listen:Console"] = "false",
    };

    public static async Task<TestService> StartAsync(TestDatabase database, params (string Key, string Value)[] settings)
    {
        var all = Settings(database);
        foreach (var (key, value) in settings) all[key] = value;
        var logs = new LogCapture();
        var host = await SignupGuardHost.StartAsync(all, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.SetMinimumLevel(LogLevel.Trace);
            builder.Logging.AddProvider(logs);
        });
        return new TestService(host, logs);
    }

    public async Task<Decision> ScreenAsync(Signup signup) => (await Client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup })).Decision;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Channel.Dispose();
        await Host.DisposeAsync();
    }
}

/// <summary>All that a host logs, with the events' ids.</summary>
internal sealed class LogCapture : ILoggerProvider
{
    public ConcurrentQueue<(int Event, string Text)> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose()
    {
    }

    private sealed class Logger(LogCapture capture) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            capture.Lines.Enqueue((eventId.Id, $"{formatter(state, exception)} {exception}"));
    }
}
