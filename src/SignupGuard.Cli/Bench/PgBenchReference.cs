using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Cli.Bench;

/// <summary>
/// <c>pgbench</c>, one transaction a signup: the service's own statements with the rows of signups that the runs stored, in the same two round
/// trips, prepared, on the same tables. Made to be hard to beat: each client writes for a tenant of its own, so none ever waits for another's lane
/// or hot key; values are constants, planned once; nothing is validated, linked or judged.
/// </summary>
internal static partial class PgBenchReference
{
    /// <summary>Different signups that are written in turn. Each client prepares every statement of each.</summary>
    private const int Templates = 8;

    private const string Tenant = "('bench-single-' || :client_id)";

    /// <summary>Rising, and the same within a transaction: microseconds of its start.</summary>
    private const string Ordinal = "(extract(epoch from now()) * 1000000)::bigint";

    /// <summary>The first hexadecimal digits of a key are the client's: no two clients share one.</summary>
    private const int KeyPrefixLength = 8;

    /// <returns>Transactions, so signups, a second.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message holds its own errors.</exception>
    public static async Task<double> MeasureAsync(string program, string connectionString, ReferenceRows reference, int clients, TimeSpan warmUp, TimeSpan duration, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("signupguard-pgbench-");
        try
        {
            var files = new List<string>();
            // Evenly over the sample, so that numbers of keys and sizes of rows are those of the whole.
            var count = Math.Min(Templates, reference.Signups.Count);
            for (var i = 0; i < count; i++)
            {
                files.Add(Path.Combine(folder.FullName, $"signup-{i.ToString(CultureInfo.InvariantCulture)}.sql"));
                await File.WriteAllTextAsync(files[i], Script(reference.Signups[i * reference.Signups.Count / count], reference.LaneState), cancellation);
            }
            return await RunAsync(program, connectionString, files, clients, warmUp, duration, cancellation);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Where the program is: as named, on PATH, or in the distributions' usual folders; null when it is not on this machine.</summary>
    public static string? Find(string? named)
    {
        if (named is not null) return File.Exists(named) ? named : null;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        (string Parent, string Pattern, string Below)[] usual =
        [
            ("/usr/lib/postgresql", "*", "bin"),
            ("/usr", "pgsql-*", "bin"),
            ("/usr/local", "pgsql*", "bin"),
            ("/opt/homebrew/opt", "postgresql*", "bin"),
            ("/usr/local/opt", "postgresql*", "bin"),
        ];
        return path.Concat(usual
                .Where(place => Directory.Exists(place.Parent))
                .SelectMany(place => Directory.EnumerateDirectories(place.Parent, place.Pattern).OrderDescending(StringComparer.Ordinal).Select(parent => Path.Combine(parent, place.Below))))
            .Select(folder => Path.Combine(folder, "pgbench"))
            .FirstOrDefault(File.Exists);
    }

    private static async Task<double> RunAsync(string program, string connectionString, List<string> files, int clients, TimeSpan warmUp, TimeSpan duration, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] arguments =
        [
            "--no-vacuum", "--protocol=prepared", $"--client={clients}", $"--jobs={Math.Min(clients, Environment.ProcessorCount)}",
            $"--time={(int)Math.Ceiling((warmUp + duration).TotalSeconds)}", "--progress=1", .. files.Select(file => $"--file={file}"),
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["PGHOST"] = connection.Host;
        start.Environment["PGPORT"] = connection.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = connection.Username;
        start.Environment["PGPASSWORD"] = connection.Password;
        start.Environment["PGDATABASE"] = connection.Database;
        // Each statement is planned once: with this many of them a short run would otherwise be spent on plans for single values.
        start.Environment["PGOPTIONS"] = "-c plan_cache_mode=force_generic_plan";
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            await output;
            var told = await errors;
            // Statements are prepared on a connection's first use of them, so only the seconds after the warm-up count.
            var seconds = Progress.Matches(told)
                .Where(second => double.Parse(second.Groups[1].Value, CultureInfo.InvariantCulture) > warmUp.TotalSeconds)
                .Select(second => double.Parse(second.Groups[2].Value, CultureInfo.InvariantCulture))
                .ToList();
            if (process.ExitCode != 0 || seconds.Count == 0) throw new InvalidOperationException($"pgbench failed: {string.Join(' ', told.Split('\n').Where(line => !line.StartsWith("progress:", StringComparison.Ordinal)).TakeLast(6))}");
            return seconds.Average();
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    [GeneratedRegex(@"^progress: ([0-9.]+) s, ([0-9.]+) tps", RegexOptions.Multiline)]
    private static partial Regex Progress { get; }

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Parameter { get; }

    private static string Script(ReferenceSignup signup, byte[] laneState)
    {
        var tenants = $"ARRAY[{Tenant}]";
        var ids = $"ARRAY['su_single__' || {Ordinal}]";
        var ordinals = $"ARRAY[{Ordinal}]";
        var hash = $"ARRAY[{Bytes(signup.ContentHash)}]";
        var ordered = signup.Keys.OrderBy(key => key.Key).ToList();
        // A null is a key nobody had before: a new one each time.
        var keys =
            $"ARRAY(SELECT coalesce((lpad((:client_id)::text, {KeyPrefixLength}, '0') || k)::uuid, gen_random_uuid()) FROM unnest({Texts(ordered.Select(key => key.Fresh ? null : key.Key.ToString("N")[KeyPrefixLength..]))}) AS known (k))";
        var script = new StringBuilder();
        script.AppendLine("\\startpipeline");
        Add(script, "BEGIN");
        Add(script, ScreeningSql.LockLanes, tenants);
        Add(script, ScreeningSql.FindKnown, tenants, ids);
        Add(script, ScreeningSql.ReadKeys, keys);
        Add(script, ScreeningSql.ReadClusters, keys, tenants);
        script.AppendLine("\\endpipeline");
        script.AppendLine("\\startpipeline");
        Add(
            script,
            ScreeningSql.WriteKeys,
            keys,
            $"ARRAY[{string.Join(',', ordered.Select(key => key.Kind.ToString(CultureInfo.InvariantCulture)))}]::smallint[]",
            $"array_fill(now(), ARRAY[{ordered.Count.ToString(CultureInfo.InvariantCulture)}])",
            $"ARRAY[{string.Join(',', ordered.Select(key => Bytes(key.State)))}]");
        Add(script, ScreeningSql.WriteSignupIds, tenants, ids, ordinals, hash, "now()");
        Add(
            script,
            ScreeningSql.WriteSignups,
            tenants,
            ordinals,
            $"ARRAY[to_timestamp({(signup.OccurredAt.ToUnixTimeMilliseconds() / 1_000d).ToString(CultureInfo.InvariantCulture)})]",
            $"ARRAY[{signup.Account.ToString(CultureInfo.InvariantCulture)}]::bigint[]",
            $"ARRAY[{Bytes(signup.Facts)}]",
            "now()");
        Add(
            script,
            ScreeningSql.WriteDecisions,
            tenants,
            ordinals,
            "ARRAY[1]",
            "ARRAY[now()]",
            "ARRAY[now()]",
            "ARRAY[gen_random_uuid()]",
            ids,
            $"ARRAY[{signup.Verdict.ToString(CultureInfo.InvariantCulture)}]::smallint[]",
            $"ARRAY[{signup.Score.ToString("R", CultureInfo.InvariantCulture)}]::float8[]",
            $"ARRAY[{signup.PolicyVersion.ToString(CultureInfo.InvariantCulture)}]::bigint[]",
            $"ARRAY[{Text(signup.OutwardCode)}]",
            $"ARRAY[{Text(DecisionCause.Screened)}]",
            $"ARRAY[{Text(signup.Body)}]::jsonb[]",
            $"ARRAY[{Bytes(signup.DecisionFacts)}]");
        Add(script, ScreeningSql.WriteLanes, tenants, $"ARRAY[{Ordinal} + 1]", $"ARRAY[{Bytes(laneState)}]");
        Add(script, "COMMIT");
        script.AppendLine("\\endpipeline");
        return script.ToString();
    }

    /// <summary>The statement with its parameters written out.</summary>
    private static void Add(StringBuilder script, string sql, params string[] values) =>
        script.Append(Parameter.Replace(sql, match => values[int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) - 1])).AppendLine(";");

    private static string Texts(IEnumerable<string?> texts) => $"ARRAY[{string.Join(',', texts.Select(text => text is null ? "NULL" : $"'{text}'"))}]::text[]";

    private static string Bytes(byte[] bytes) => $"decode('{Convert.ToHexStringLower(bytes)}', 'hex')";

    /// <summary>Any text: pgbench would take a colon before a letter or digit for a variable of its own.</summary>
    private static string Text(string text) =>
        $"E'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal).Replace(":", "\\x3A", StringComparison.Ordinal)}'";
}
