using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Grpc.Net.Client;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>The program as users run it, in a process of its own.</summary>
internal sealed partial class SignupGuardProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<string> _output;

    private SignupGuardProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            _errors.Enqueue(line.Data);
            if (Listening.Match(line.Data) is { Success: true } match) _listening.TrySetResult(new Uri(match.Groups[1].Value));
        };
        process.BeginErrorReadLine();
        _output = process.StandardOutput.ReadToEndAsync();
    }

    [GeneratedRegex("gRPC at (http://[^,]+),")]
    private static partial Regex Listening { get; }

    public string Errors => string.Join('\n', _errors);

    public static SignupGuardProcess Start(IReadOnlyDictionary<string, string?> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(TestContext.CurrentContext.TestDirectory, "signupguard.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (key, value) in settings) start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new SignupGuardProcess(Process.Start(start)!);
    }

    /// <summary>Where the service listens, as soon as it does.</summary>
    public async Task<Uri> AddressAsync()
    {
        var ended = _process.WaitForExitAsync();
        if (await Task.WhenAny(_listening.Task, ended) == ended) throw new InvalidOperationException($"The service ended: {Errors}");
        return await _listening.Task;
    }

    public async Task<(GrpcChannel Channel, ScreeningService.ScreeningServiceClient Client)> ConnectAsync()
    {
        var channel = GrpcChannel.ForAddress(await AddressAsync());
        return (channel, new ScreeningService.ScreeningServiceClient(channel));
    }

    /// <summary>SIGKILL, which no process can answer.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM, as a service manager stops a service.</summary>
    public void Terminate() => Service.Embedded.UnixSignal.Send(_process.Id, 15);

    public async Task<(int ExitCode, string Output)> EndAsync()
    {
        await _process.WaitForExitAsync();
        return (_process.ExitCode, await _output);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
