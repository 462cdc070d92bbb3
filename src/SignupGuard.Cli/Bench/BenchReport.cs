using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignupGuard.Cli.Bench;

/// <summary>All figures of one benchmark: what <c>--json</c> prints. What was not measured is left out.</summary>
internal sealed record BenchReport
{
    public required string Mix { get; init; }

    public required int Replicas { get; init; }

    public required double DurationS { get; init; }

    public required double WarmUpS { get; init; }

    /// <summary>Signups in the database before the first run, where it can be asked.</summary>
    public long? StoredBefore { get; init; }

    /// <summary>Right answers a second in the closed loop, or at the highest rate where there was none; each was committed before it was given.</summary>
    public required double DurablePerSecond { get; init; }

    /// <summary>One transaction a signup by pgbench, on the same tables.</summary>
    public double? PgbenchSinglePerSecond { get; init; }

    public double? RatioToPgbench { get; init; }

    /// <summary>The service's own batches without the service.</summary>
    public double? DatabaseBatchCeilingPerSecond { get; init; }

    public double? RatioToCeiling { get; init; }

    /// <summary>By rate of an open loop, and "closed".</summary>
    public required IReadOnlyDictionary<string, BenchLatency> LatencyMs { get; init; }

    /// <summary>On one thread, without network and database.</summary>
    public required double CoreOnlyPerSecond { get; init; }

    public required BenchCore CoreOnly { get; init; }

    /// <summary>Highest resident memory of a replica, MiB.</summary>
    public double? RssMbMax { get; init; }

    /// <summary>Processor time of the service's processes, microseconds a signup answered, over all runs and their warm-up.</summary>
    public double? ServiceCpuUsPerSignup { get; init; }

    /// <summary>From the start of the slowest replica's process until it would screen.</summary>
    public double? ReadyS { get; init; }

    /// <summary>Table, index and TOAST bytes a signup, over the whole database, references left out.</summary>
    public double? StoredBytesPerSignup { get; init; }

    public required long Errors { get; init; }

    public required IReadOnlyList<BenchRun> Runs { get; init; }

    public BenchReferenceRows? ReferenceRows { get; init; }

    public required BenchMachine Machine { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, BenchJson.Default.BenchReport);

    public void Print(TextWriter to)
    {
        to.WriteLine(Format($"{Mix} traffic, {Replicas} replica(s), {DurationS:0} s a run after {WarmUpS:0} s of warm-up; {Machine.Processors} processors, PostgreSQL {Machine.Postgres ?? "unknown"}"));
        to.WriteLine();
        to.WriteLine("run                   signups/s     p50 ms     p99 ms   p99.9 ms     max ms   errors");
        foreach (var run in Runs)
        {
            var name = run.Rate is { } rate ? Format($"open loop {rate:0.#}/s") : Format($"closed loop x{run.Concurrency}");
            to.WriteLine(Format($"{name,-20}{run.PerSecond,11:N0}{run.LatencyMs.P50,11:0.00}{run.LatencyMs.P99,11:0.00}{run.LatencyMs.P999,11:0.00}{run.LatencyMs.Max,11:0.00}{run.Errors.Values.Sum(),9:N0}"));
        }
        to.WriteLine();
        to.WriteLine(Format($"durable               {DurablePerSecond,9:N0} signups/s"));
        if (PgbenchSinglePerSecond is { } single) to.WriteLine(Format($"pgbench, one a time   {single,9:N0} signups/s   the service does {RatioToPgbench:0.00} times that"));
        if (DatabaseBatchCeilingPerSecond is { } ceiling) to.WriteLine(Format($"database batches only {ceiling,9:N0} signups/s   the service does {RatioToCeiling:0.00} times that"));
        to.WriteLine(Format($"core, one thread      {CoreOnlyPerSecond,9:N0} signups/s   {CoreOnly.PrepareUs:0.0} us signals and keys + {CoreOnly.ScreenUs:0.0} us links and policy; {CoreOnly.BytesPerSignup / 1_024:0.0} KiB allocated"));
        if (RssMbMax is { } memory) to.WriteLine(Format($"memory                {memory,9:N0} MiB at most, ready after {ReadyS:0.0} s, {ServiceCpuUsPerSignup:0} us of processor time a signup"));
        if (StoredBytesPerSignup is { } bytes) to.WriteLine(Format($"stored                {bytes,9:N0} bytes a signup, indexes included"));
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Milliseconds.</summary>
internal sealed record BenchLatency(double P50, double P99, double P999, double Max)
{
    public static BenchLatency Of(LatencyRecord record) => new(record.Milliseconds(50), record.Milliseconds(99), record.Milliseconds(99.9), record.MaxMilliseconds);
}

internal sealed record BenchRun(
    double? Rate,
    int? Concurrency,
    double Seconds,
    long Answered,
    double PerSecond,
    BenchLatency LatencyMs,
    BenchLatency? SentLateMs,
    IReadOnlyDictionary<string, long> Errors)
{
    public static BenchRun Of(LoadResult result) => new(
        result.Rate,
        result.Concurrency,
        Math.Round(result.Seconds, 2),
        result.Answered,
        Math.Round(result.PerSecond, 1),
        BenchLatency.Of(result.Latency),
        result.SentLate is { } late ? BenchLatency.Of(late) : null,
        result.Errors);
}

/// <param name="PrepareUs">Validation, canonical form, signals and link keys, microseconds a signup.</param>
/// <param name="ScreenUs">Links, policy, counting and networks, microseconds a signup.</param>
internal sealed record BenchCore(double PrepareUs, double ScreenUs, double BytesPerSignup, double PrepareBytes, double ScreenBytes)
{
    public static BenchCore Of(CoreMeasurement core) => new(
        Math.Round(core.PrepareMicroseconds, 2),
        Math.Round(core.ScreenMicroseconds, 2),
        Math.Round(core.Bytes),
        Math.Round(core.PrepareBytes),
        Math.Round(core.ScreenBytes));
}

/// <summary>The rows the references wrote.</summary>
internal sealed record BenchReferenceRows(double KeysPerSignup, double FreshKeysPerSignup, int PgbenchClients, int BatchSignups);

internal sealed record BenchMachine(int Processors, double MemoryGb, string System, string Runtime, string? Postgres)
{
    public static BenchMachine Here(string? postgres) => new(
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        postgres);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchJson : JsonSerializerContext;
