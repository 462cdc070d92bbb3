using System.Diagnostics;

namespace SignupGuard.Service.Embedded;

/// <summary>Whom Postgres runs as: it refuses root, so a caller who is root has it run as somebody else. Others run it themselves.</summary>
/// <param name="Name">Null: the caller.</param>
internal sealed record ServerUser(string? Name)
{
    /// <summary>The first that the machine has.</summary>
    private static readonly string[] Unprivileged = ["postgres", "nobody"];

    /// <param name="cluster">An existing database stays with its owner.</param>
    public static async Task<ServerUser> ResolveAsync(string cluster, CancellationToken cancellation)
    {
        if (!Environment.IsPrivilegedProcess) return new ServerUser((string?)null);
        if (Directory.Exists(cluster))
        {
            string[] stat = OperatingSystem.IsLinux() ? ["-c", "%U"] : ["-f", "%Su"];
            var owner = await new ServerUser((string?)null).RunAsync("stat", [.. stat, cluster], null, cancellation);
            if (owner.Succeeded && owner.Output.Trim() is { Length: > 0 } name and not "root" and not "UNKNOWN") return new ServerUser(name);
        }
        foreach (var name in Unprivileged)
        {
            if ((await new ServerUser((string?)null).RunAsync("id", ["-u", name], null, cancellation)).Succeeded) return new ServerUser(name);
        }
        throw new EmbeddedPostgresException($"Postgres refuses to run as root, and this machine has no user {string.Join(" or ", Unprivileged)}. Start SignupGuard as an ordinary user.");
    }

    /// <summary>Gives a folder and all in it to the server; does nothing where the caller is the server.</summary>
    public async Task OwnAsync(string folder, CancellationToken cancellation)
    {
        if (Name is null) return;
        var result = await new ServerUser((string?)null).RunAsync("chown", ["-R", Name, folder], null, cancellation);
        if (!result.Succeeded) throw new EmbeddedPostgresException($"The folder {folder} can't be given to the user {Name}: {result.Error.Trim()}");
    }

    /// <summary>A process of this user, in the root folder and without the caller's PG… variables, its streams redirected.</summary>
    public ProcessStartInfo Command(string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            // The caller's own folder may be closed to the server.
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (Name is not null) start.UserName = Name;
        foreach (var variable in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList()) start.Environment.Remove(variable);
        // Messages in English: failures are told apart by them.
        start.Environment["LC_ALL"] = "C";
        start.Environment["HOME"] = "/";
        return start;
    }

    public sealed record Result(int ExitCode, string Output, string Error)
    {
        public bool Succeeded => ExitCode == 0;
    }

    /// <summary>Runs to the end. A program that can't be started is a failure of code 127, as in a shell.</summary>
    public async Task<Result> RunAsync(string file, IEnumerable<string> arguments, string? input, CancellationToken cancellation)
    {
        Process? process;
        try
        {
            process = Process.Start(Command(file, arguments));
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            return new Result(127, "", failure.Message);
        }
        using (process)
        {
            try
            {
                var output = process!.StandardOutput.ReadToEndAsync(cancellation);
                var error = process.StandardError.ReadToEndAsync(cancellation);
                if (input is not null) await process.StandardInput.WriteAsync(input);
                process.StandardInput.Close();
                await process.WaitForExitAsync(cancellation);
                return new Result(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process!.Kill(entireProcessTree: true);
                throw;
            }
        }
    }
}
