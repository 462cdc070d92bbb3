using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;

namespace SignupGuard.Service.Embedded;

/// <summary>One running <c>postgres</c>: a direct child of this process, so its death is seen and its signals reach it.</summary>
internal sealed partial class PostgresServer : IDisposable
{
    /// <summary>Last lines of the server's log kept to explain a failure.</summary>
    private const int LogLinesKept = 30;

    /// <summary>A fast stop ends transactions and writes a checkpoint; a slow disk needs a while.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(60);

    /// <summary>An immediate stop writes nothing; the next start recovers.</summary>
    private static readonly TimeSpan ImmediateStopTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WaitingNotice = TimeSpan.FromSeconds(10);

    private static readonly string[] SetSidPlaces = ["/usr/bin/setsid", "/bin/setsid"];

    private readonly Process _process;
    private readonly string _cluster;
    private readonly ILogger _logger;
    private readonly Queue<string> _lastLines = new();
    private readonly Task _reading;

    private PostgresServer(Process process, string cluster, ILogger logger)
    {
        _process = process;
        _cluster = cluster;
        _logger = logger;
        process.StandardInput.Close();
        _reading = Task.WhenAll(ReadAsync(process.StandardError), ReadAsync(process.StandardOutput));
    }

    public int ProcessId => _process.Id;

    public static PostgresServer Start(PostgresBinaries binaries, ServerUser user, string cluster, IEnumerable<string> settings, ILogger logger)
    {
        string[] arguments = ["-D", cluster, .. settings.SelectMany(setting => new[] { "-c", setting })];
        // In a session of its own a Ctrl-C at the terminal reaches the host alone, which then finishes what it has and stops the server.
        // The program replaces itself by the server, so the process stays ours.
        var setsid = SetSidPlaces.FirstOrDefault(File.Exists);
        var start = setsid is null ? user.Command(binaries.Server, arguments) : user.Command(setsid, [binaries.Server, .. arguments]);
        try
        {
            return new PostgresServer(Process.Start(start)!, cluster, logger);
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new EmbeddedPostgresException($"PostgreSQL in {binaries.Folder} can't be started: {failure.Message}", failure);
        }
    }

    /// <summary>Returns when the server takes connections. Recovery after a crash may take minutes, so there is no bound but the token.</summary>
    /// <exception cref="EmbeddedPostgresException">The server ended, or refuses the log-in.</exception>
    public async Task ReadyAsync(string connectionString, CancellationToken cancellation)
    {
        var waiting = Stopwatch.StartNew();
        var noticed = TimeSpan.Zero;
        // The file names the process, so a server left by an earlier host is not taken for this one.
        while (!(PostmasterFile.Read(_cluster) is { Ready: true } file && file.ProcessId == _process.Id))
        {
            if (_process.HasExited) throw await ExplainAsync();
            await Task.Delay(Poll, cancellation);
            if (waiting.Elapsed - noticed < WaitingNotice) continue;
            noticed = waiting.Elapsed;
            LogWaiting(_logger, (int)waiting.Elapsed.TotalSeconds);
        }
        try
        {
            await using var source = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString).Build();
            await using var connection = await source.OpenConnectionAsync(cancellation);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            throw new EmbeddedPostgresException($"The database in {_cluster} refuses the log-in of the file {EmbeddedSecrets.FileName} beside it: the two don't belong together. Restore both from one backup.", refused);
        }
    }

    /// <summary>Returns when the process has ended.</summary>
    public Task ExitAsync(CancellationToken cancellation) => _process.WaitForExitAsync(cancellation);

    /// <summary>Fast stop, then immediate, then kill. The first loses nothing that was committed, and neither do the others.</summary>
    public async Task StopAsync()
    {
        await StopAsync(_process.Id, () => _process.HasExited);
        await _process.WaitForExitAsync();
    }

    /// <summary>The same for a server that an earlier host left behind.</summary>
    /// <exception cref="EmbeddedPostgresException">It does not end.</exception>
    public static async Task StopLeftoverAsync(int processId, string cluster)
    {
        await StopAsync(processId, () => !PostmasterFile.IsServer(processId, cluster));
        if (PostmasterFile.IsServer(processId, cluster))
            throw new EmbeddedPostgresException($"PostgreSQL, process {processId}, was left running on {cluster} and can't be stopped. End it, then start again.");
    }

    private static async Task StopAsync(int processId, Func<bool> ended)
    {
        foreach (var (signal, time) in new[] { (UnixSignal.Interrupt, StopTime), (UnixSignal.Quit, ImmediateStopTime), (UnixSignal.Kill, ImmediateStopTime) })
        {
            if (ended()) return;
            UnixSignal.Send(processId, signal);
            var waiting = Stopwatch.StartNew();
            while (waiting.Elapsed < time)
            {
                if (ended()) return;
                await Task.Delay(Poll);
            }
        }
    }

    /// <summary>Asks for a fast stop without waiting: for a host that is ending and can't wait.</summary>
    public void Interrupt()
    {
        if (!_process.HasExited) UnixSignal.Send(_process.Id, UnixSignal.Interrupt);
    }

    /// <summary>Why the server ended, from its last words.</summary>
    public async Task<EmbeddedPostgresException> ExplainAsync()
    {
        // The processes that the server started hold the pipe open a moment longer; what they say is not worth a wait.
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromSeconds(1)));
        string log;
        lock (_lastLines) log = string.Join('\n', _lastLines);
        return new EmbeddedPostgresException(log switch
        {
            _ when log.Contains("No space left on device", StringComparison.Ordinal) => $"The disk of {_cluster} is full. Free some room and start again; nothing committed is lost.",
            _ when log.Contains("Address already in use", StringComparison.Ordinal) => "The port for PostgreSQL is taken by another program. Choose another port, or none: the service itself uses a socket.",
            _ when log.Contains("incompatible with server", StringComparison.Ordinal) => $"The data in {_cluster} was made by another version of PostgreSQL.",
            _ => $"PostgreSQL ended with code {(_process.HasExited ? _process.ExitCode : 0).ToString(CultureInfo.InvariantCulture)}. Its last words:\n{log}",
        });
    }

    private async Task ReadAsync(StreamReader lines)
    {
        try
        {
            while (await lines.ReadLineAsync() is { } line)
            {
                lock (_lastLines)
                {
                    _lastLines.Enqueue(line);
                    if (_lastLines.Count > LogLinesKept) _lastLines.Dequeue();
                }
                if (line.Contains("PANIC:", StringComparison.Ordinal) || line.Contains("No space left on device", StringComparison.Ordinal)) LogServerFailure(_logger, line);
                else LogServer(_logger, line);
            }
        }
        catch (ObjectDisposedException)
        {
            // The server ended and this object with it.
        }
    }

    public void Dispose() => _process.Dispose();

    [LoggerMessage(6008, LogLevel.Debug, "postgres: {Line}")]
    private static partial void LogServer(ILogger logger, string line);

    [LoggerMessage(6009, LogLevel.Error, "postgres: {Line}")]
    private static partial void LogServerFailure(ILogger logger, string line);

    [LoggerMessage(6010, LogLevel.Information, "Waiting for PostgreSQL to recover, {Seconds} s so far")]
    private static partial void LogWaiting(ILogger logger, int seconds);
}

/// <summary>What a running server writes beside its data.</summary>
internal sealed record PostmasterFile(int ProcessId, bool Ready)
{
    private const string FileName = "postmaster.pid";
    private const int StatusLine = 7;

    /// <summary>Null while there is none, or it is being written.</summary>
    public static PostmasterFile? Read(string cluster)
    {
        try
        {
            var lines = File.ReadAllLines(Path.Combine(cluster, FileName));
            return lines.Length > 0 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? new PostmasterFile(process, lines.Length > StatusLine && lines[StatusLine].Trim() == "ready")
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static void Delete(string cluster) => File.Delete(Path.Combine(cluster, FileName));

    /// <summary>Whether the process is a server on this very folder. Process ids are used again, above all in containers.</summary>
    public static bool IsServer(int processId, string cluster)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // An ended process that nobody has waited for has no command line.
                var arguments = File.ReadAllText($"/proc/{processId}/cmdline").Split('\0');
                return arguments.Contains(cluster, StringComparer.Ordinal);
            }
            using var ps = Process.Start(new ProcessStartInfo("/bin/ps", ["-o", "command=", "-p", processId.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
            var command = ps.StandardOutput.ReadToEnd();
            ps.WaitForExit();
            return command.Contains(cluster, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}

/// <summary>The signals that stop a server; .NET sends none of them.</summary>
internal static class UnixSignal
{
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Kill = 9;

    /// <summary>A process that is gone by now needs no signal.</summary>
    public static void Send(int processId, int signal)
    {
        const int NoSuchProcess = 3;
        if (kill(processId, signal) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoSuchProcess) throw new EmbeddedPostgresException($"Process {processId} can't be signalled: {Marshal.GetPInvokeErrorMessage(error)}");
    }

#pragma warning disable IDE1006, CA5392, SYSLIB1054 // the C library's own name; two integers need no generated marshalling
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
#pragma warning restore IDE1006, CA5392, SYSLIB1054
}
