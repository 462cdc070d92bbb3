using Npgsql;
using SignupGuard.Storage;

namespace SignupGuard.Cli.Bench;

/// <summary>One benchmark from start to end: the core alone, the fill, the runs, the references on what the runs left.</summary>
internal static class Benchmark
{
    /// <summary>Callers that fill the database.</summary>
    private const int FillConcurrency = 256;

    /// <summary>Signups made ahead for the fill at a time.</summary>
    private const int FillChunk = 50_000;

    /// <summary>Signups made ahead for a second of a closed loop: more than two processors can screen.</summary>
    private const int ClosedLoopPerSecond = 8_000;

    /// <summary>Most signups made ahead for one run: 1.5 KB each.</summary>
    private const int RequestsMax = 1_500_000;

    /// <summary>The service's own; those of references are another tenant's.</summary>
    private const string CountSignups = "SELECT coalesce(sum(next_ordinal - 1), 0)::bigint FROM lanes WHERE tenant NOT LIKE 'bench-%'";

    /// <summary>Rows the references write again.</summary>
    private const int ReferenceSignups = 2_000;

    /// <param name="report">Told what goes on.</param>
    public static async Task<BenchReport> RunAsync(BenchOptions options, Action<string> report, CancellationToken cancellation)
    {
        var coreSignups = CoreMeasurement.Signups(options.Duration);
        using var traffic = new Traffic(options.Mix, Total(options), DateTimeOffset.UtcNow);
        // Of a stream of its own, so that the service's stream begins at its beginning.
        using var coreTraffic = new Traffic(options.Mix, coreSignups, DateTimeOffset.UtcNow);
        report("core only");
        var core = CoreMeasurement.Measure(coreTraffic.Signups(coreSignups));

        await using var target = await BenchTarget.OpenAsync(options, cancellation);
        await using var source = target.ConnectionString is { Length: > 0 } connectionString ? SignupGuardDataSource.Create(connectionString) : null;
        using var generator = new LoadGenerator(target.Addresses);
        var errors = 0L;
        for (var left = options.Fill; left > 0; left -= FillChunk)
        {
            report($"filling, {left:N0} signups to go");
            errors += (await generator.SendAllAsync(traffic.Requests(Math.Min(left, FillChunk)), FillConcurrency, cancellation)).Values.Sum();
        }
        var storedBefore = source is null ? (long?)null : await ScalarAsync(source, CountSignups, cancellation);
        var processorBefore = target.ProcessorTime();

        var results = new List<LoadResult>();
        foreach (var rate in options.Rates)
        {
            report($"open loop, {rate:0.#}/s");
            var requests = traffic.Requests(OpenLoopRequests(options, rate));
            Collect();
            results.Add(await generator.OpenLoopAsync(requests, rate, options.Arrivals, options.WarmUp, options.Duration, cancellation));
        }
        if (options.Concurrency is { } concurrency)
        {
            report($"closed loop, {concurrency} callers");
            var requests = traffic.Requests(ClosedLoopRequests(options));
            Collect();
            results.Add(await generator.ClosedLoopAsync(requests, concurrency, options.WarmUp, options.Duration, cancellation));
        }
        var durable = (results.Find(result => result.Concurrency is not null) ?? results.MaxBy(result => result.Rate)!).PerSecond;
        var peak = target.PeakMemoryBytes();
        // Of the answers counted; warm-up's are about as many a second.
        var answered = results.Sum(result => result.PerSecond * (result.Seconds + options.WarmUp.TotalSeconds));
        var processor = target.ProcessorTime() - processorBefore;

        double? single = null, ceiling = null, bytes = null;
        BenchReferenceRows? rows = null;
        string? postgres = null;
        if (source is not null)
        {
            postgres = await TextAsync(source, "SHOW server_version", cancellation);
            bytes = await BytesPerSignupAsync(source, cancellation);
        }
        if (options.Reference)
        {
            var reference = await ReferenceRows.ReadAsync(source!, ReferenceSignups, cancellation);
            rows = new BenchReferenceRows(Math.Round(reference.KeysPerSignup, 1), Math.Round(reference.FreshKeysPerSignup, 1), options.ReferenceClients, BatchReference.BatchSignups);
            report("reference: database-only batches");
            ceiling = await BatchReference.MeasureAsync(source!, reference, options.WarmUp, options.Duration, cancellation);
            report($"reference: pgbench, {options.ReferenceClients} clients");
            single = await PgBenchReference.MeasureAsync(PgBenchReference.Find(options.PgBench)!, target.ConnectionString!, reference, options.ReferenceClients, options.WarmUp, options.Duration, cancellation);
        }
        return new BenchReport
        {
            Mix = options.Mix.ToString().ToLowerInvariant(),
            Replicas = target.Addresses.Count,
            DurationS = options.Duration.TotalSeconds,
            WarmUpS = options.WarmUp.TotalSeconds,
            StoredBefore = storedBefore,
            DurablePerSecond = Math.Round(durable, 1),
            PgbenchSinglePerSecond = Rounded(single, 1),
            RatioToPgbench = Rounded(durable / single, 3),
            DatabaseBatchCeilingPerSecond = Rounded(ceiling, 1),
            RatioToCeiling = Rounded(durable / ceiling, 3),
            LatencyMs = results.ToDictionary(result => result.Name, result => BenchLatency.Of(result.Latency)),
            CoreOnlyPerSecond = Math.Round(core.PerSecond, 1),
            CoreOnly = BenchCore.Of(core),
            RssMbMax = Rounded(peak / (double)(1 << 20), 1),
            ServiceCpuUsPerSignup = Rounded(processor?.TotalMicroseconds / answered, 1),
            ReadyS = Rounded(target.ReadyAfter?.TotalSeconds, 2),
            StoredBytesPerSignup = Rounded(bytes, 0),
            Errors = errors + results.Sum(result => result.Errors.Values.Sum()),
            Runs = results.ConvertAll(BenchRun.Of),
            ReferenceRows = rows,
            Machine = BenchMachine.Here(postgres),
        };
    }

    private static int OpenLoopRequests(BenchOptions options, double rate) =>
        (int)Math.Min(RequestsMax, (rate * (options.WarmUp + options.Duration).TotalSeconds * 1.05) + 1_000);

    private static int ClosedLoopRequests(BenchOptions options) =>
        (int)Math.Min(RequestsMax, ClosedLoopPerSecond * (options.WarmUp + options.Duration).TotalSeconds);

    private static int Total(BenchOptions options) =>
        options.Fill + options.Rates.Sum(rate => OpenLoopRequests(options, rate)) + (options.Concurrency is null ? 0 : ClosedLoopRequests(options)) + 1_000;

    /// <summary>Making signups left garbage; collecting it is not part of a run.</summary>
    private static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);

    private static double? Rounded(double? value, int digits) => value is { } number && double.IsFinite(number) ? Math.Round(number, digits) : null;

    private static async Task<double?> BytesPerSignupAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        var bytes = await ScalarAsync(
            source,
            """
            SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relkind = 'r'
            """,
            cancellation);
        var signups = await ScalarAsync(source, CountSignups, cancellation);
        // Rows of references that ran here before would be counted as the service's.
        var references = await ScalarAsync(source, "SELECT count(*) FROM lanes WHERE tenant LIKE 'bench-%'", cancellation);
        return signups > 0 && references == 0 ? (double)bytes / signups : null;
    }

    private static async Task<long> ScalarAsync(NpgsqlDataSource source, string sql, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task<string> TextAsync(NpgsqlDataSource source, string sql, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
