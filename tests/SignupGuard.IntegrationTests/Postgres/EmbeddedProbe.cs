using System.Diagnostics;
using System.Globalization;
using SignupGuard.Service.Embedded;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>A host in a process of its own, as this user or another.</summary>
internal sealed class EmbeddedProbe : IAsyncDisposable
{
    private readonly Process _process;

    private EmbeddedProbe(Process process, string answer)
    {
        _process = process;
        Answer = answer;
    }

    /// <summary>What the host says: "ready PID CONNECTION-STRING" or "refused MESSAGE".</summary>
    public string Answer { get; }

    public int HostProcessId => _process.Id;

    public int ServerProcessId => int.Parse(Answer.Split(' ')[1], CultureInfo.InvariantCulture);

    public string ConnectionString => Answer.Split(' ', 3)[2];

    public static async Task<EmbeddedProbe> StartAsync(string dataFolder, string? user = null, string? programs = null)
    {
        var dotnet = Path.GetFileName(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(dotnet, [Path.Combine(programs ?? TestContext.CurrentContext.TestDirectory, "SignupGuard.EmbeddedProbe.dll"), dataFolder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        if (user is not null)
        {
            start.UserName = user;
            start.Environment["HOME"] = "/nonexistent";
        }
        var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var answer = await process.StandardOutput.ReadLineAsync();
        return answer is not null ? new EmbeddedProbe(process, answer) : throw new InvalidOperationException(await error);
    }

    /// <summary>As the system would when out of memory. Its server is left behind.</summary>
    public async Task KillAsync()
    {
        UnixSignal.Send(_process.Id, UnixSignal.Kill);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }
}
