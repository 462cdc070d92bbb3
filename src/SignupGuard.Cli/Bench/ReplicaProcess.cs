using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SignupGuard.Service.Embedded;
using SignupGuard.Service.Hosting;

namespace SignupGuard.Cli.Bench;

/// <summary>One service as a process of its own (<c>signupguard serve</c>), so that its memory and time are its own.</summary>
internal sealed class ReplicaProcess : IAsyncDisposable
{
    private const int Terminate = 15;

    /// <summary>Lines of its errors that are kept to tell why it would not start.</summary>
    private const int LinesMax = 20;

    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Queue<string> _errors = new();

    private ReplicaProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>Of gRPC.</summary>
    public Uri Address { get; }

    /// <summary>From the start of the process until it would screen.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <exception cref="HostStartException">It did not start; the message holds its own errors.</exception>
    public static async Task<ReplicaProcess> StartAsync(IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        var (grpcPort, httpPort) = FreePorts();
        // As this program was started itself: by its own executable, or by dotnet and a library.
        var program = Environment.ProcessPath!;
        var byDotnet = Path.GetFileNameWithoutExtension(program) != "signupguard";
        string[] arguments = ["serve", "--grpc-port", $"{grpcPort}", "--http-port", $"{httpPort}", "--no-console"];
        var start = new ProcessStartInfo(byDotnet ? "dotnet" : program, byDotnet ? [typeof(ReplicaProcess).Assembly.Location, .. arguments] : arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        var started = Stopwatch.GetTimestamp();
        var replica = new ReplicaProcess(Process.Start(start)!, new Uri($"http://127.0.0.1:{grpcPort}"));
        try
        {
            await replica.WaitReadyAsync(new Uri($"http://127.0.0.1:{httpPort}/readyz"), cancellation);
            replica.ReadyAfter = Stopwatch.GetElapsedTime(started);
            return replica;
        }
        catch
        {
            await replica.DisposeAsync();
            throw;
        }
    }

    /// <summary>Highest resident memory so far; null where the system does not tell, or it has ended.</summary>
    public long? PeakMemoryBytes()
    {
        _process.Refresh();
        return _process.HasExited || _process.PeakWorkingSet64 <= 0 ? null : _process.PeakWorkingSet64;
    }

    /// <summary>Processor time so far; null when it has ended.</summary>
    public TimeSpan? ProcessorTime()
    {
        _process.Refresh();
        return _process.HasExited ? null : _process.TotalProcessorTime;
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows()) _process.Kill();
            else UnixSignal.Send(_process.Id, Terminate);
            using var patience = new CancellationTokenSource(StopTimeMax);
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited) _process.Kill();
        }
        _process.Dispose();
    }

    private async Task WaitReadyAsync(Uri ready, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var waiting = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(waiting) < StartTimeMax)
        {
            if (_process.HasExited) throw new HostStartException($"A replica of the service did not start: {Errors()}");
            try
            {
                using var answer = await http.GetAsync(ready, cancellation);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
                cancellation.ThrowIfCancellationRequested();
            }
            await Task.Delay(20, cancellation);
        }
        throw new HostStartException($"A replica of the service was not ready after {StartTimeMax.TotalSeconds} s: {Errors()}");
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_errors)
        {
            _errors.Enqueue(line);
            if (_errors.Count > LinesMax) _errors.Dequeue();
        }
    }

    private string Errors()
    {
        lock (_errors) return string.Join(Environment.NewLine, _errors);
    }

    private void OnProcessExit(object? sender, EventArgs arguments)
    {
        if (!_process.HasExited) _process.Kill();
    }

    private static (int Grpc, int Http) FreePorts()
    {
        using var one = new TcpListener(IPAddress.Loopback, 0);
        using var two = new TcpListener(IPAddress.Loopback, 0);
        one.Start();
        two.Start();
        return (((IPEndPoint)one.LocalEndpoint).Port, ((IPEndPoint)two.LocalEndpoint).Port);
    }
}
