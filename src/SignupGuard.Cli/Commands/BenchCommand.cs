using System.CommandLine;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Npgsql;
using SignupGuard.Cli.Bench;
using SignupGuard.Service.Hosting;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard bench</c>: how fast the whole is, end to end and durable, and what the same database does without it. Writes signups that are none:
/// a configured database should be one for the purpose.
/// </summary>
internal static class BenchCommand
{
    private const int ExitFailed = 1;
    private const int ExitErrors = 2;
    private const int ConcurrencyDefault = 64;
    private const double RateMax = 100_000;
    private const int SecondsMax = 24 * 3_600;
    private const int FillMax = 100_000_000;

    public static Command Create()
    {
        var address = AddressOption.Create("gRPC address of a running service. Without it: processes of its own, on the configured or a private database.");
        var data = new Option<string?>("--data") { Description = "Folder of the private Postgres, kept after the run. Default: one beside the service's own, removed after it." };
        var rate = new Option<double[]>("--rate") { Description = "Open loop: signups/s, whether answers come or not; latencies run from when a signup was due. Repeatable: a run each." };
        var concurrency = new Option<int?>("--concurrency") { Description = $"Closed loop: so many callers, each with one signup under way. Default without --rate: {ConcurrencyDefault}." };
        var arrivals = new Option<Arrivals>("--arrivals") { Description = "Open loop: independent callers (poisson), or equal gaps (fixed)." };
        var mix = new Option<TrafficMix>("--mix") { Description = "ordinary; burst: all from one machine, network and BIN; replays: every signup twice." };
        var duration = new Option<double>("--duration") { Description = "Seconds measured of each run.", DefaultValueFactory = _ => 30 };
        var warmUp = new Option<double>("--warm-up") { Description = "Seconds of the same load before them.", DefaultValueFactory = _ => 10 };
        var replicas = new Option<int>("--replicas") { Description = "Processes of the service on the one database.", DefaultValueFactory = _ => 1 };
        var fill = new Option<int>("--fill") { Description = "Signups screened first, so that the runs meet a database that holds some." };
        var reference = new Option<bool>("--reference") { Description = "Measure on the same database what pgbench does with one transaction a signup, and the service's own batches without the service." };
        var pgbench = new Option<string?>("--pgbench") { Description = "The program pgbench. Default: looked for on PATH and in the usual folders." };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON." };
        var command = new Command("bench", "Measure throughput and latency, end to end. Exit code 2: some calls failed.")
        {
            address, data, rate, concurrency, arrivals, mix, duration, warmUp, replicas, fill, reference, pgbench, json,
        };
        command.Validators.Add(result =>
        {
            // Defaults are not there yet when this runs.
            bool Given(Option option) => result.GetResult(option) is { Implicit: false };
            void Check(Option option, bool right, string bounds)
            {
                if (Given(option) && !right) result.AddError($"{option.Name} must be {bounds}.");
            }
            Check(rate, (result.GetValue(rate) ?? []).All(value => value is > 0 and <= RateMax), $"more than 0 and at most {RateMax:0}");
            Check(concurrency, result.GetValue(concurrency) is >= 1 and <= BenchOptions.ConcurrencyMax, $"1 to {BenchOptions.ConcurrencyMax}");
            Check(duration, result.GetValue(duration) is >= 1 and <= SecondsMax, $"1 to {SecondsMax}");
            Check(warmUp, result.GetValue(warmUp) is >= 0 and <= SecondsMax, $"0 to {SecondsMax}");
            Check(replicas, result.GetValue(replicas) is >= 1 and <= BenchOptions.ReplicasMax, $"1 to {BenchOptions.ReplicasMax}");
            Check(fill, result.GetValue(fill) is >= 0 and <= FillMax, $"0 to {FillMax}");
            if (Given(address) && (Given(replicas) || Given(data))) result.AddError("--replicas and --data are of a service of its own; --address names another.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var rates = parsed.GetValue(rate) ?? [];
            var options = new BenchOptions
            {
                Address = parsed.GetValue(address),
                DataFolder = parsed.GetValue(data),
                Replicas = parsed.GetValue(replicas),
                Rates = [.. rates.Distinct()],
                Concurrency = parsed.GetValue(concurrency) ?? (rates.Length == 0 ? ConcurrencyDefault : null),
                Arrivals = parsed.GetValue(arrivals),
                Mix = parsed.GetValue(mix),
                Duration = TimeSpan.FromSeconds(parsed.GetValue(duration)),
                WarmUp = TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
                Fill = parsed.GetValue(fill),
                Reference = parsed.GetValue(reference),
                PgBench = parsed.GetValue(pgbench),
            };
            return await RunAsync(options, parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(BenchOptions options, bool json, CancellationToken cancellation)
    {
        // Told now, not after minutes of load.
        if (options.Reference && PgBenchReference.Find(options.PgBench) is null) return await FailAsync("pgbench was not found; it comes with PostgreSQL's server (on Debian: postgresql). Name it with --pgbench, or leave --reference out.");
        if (options is { Reference: true, Address: not null } && string.IsNullOrEmpty(EvaluateCommand.Configuration().GetConnectionString("SignupGuard")))
            return await FailAsync("--reference needs the service's database: set ConnectionStrings__SignupGuard.");
        BenchReport report;
        try
        {
            report = await Benchmark.RunAsync(options, line => Console.Error.WriteLine(line), cancellation);
        }
        catch (Exception failure) when (failure is NpgsqlException or InvalidOperationException or IOException or RpcException && !cancellation.IsCancellationRequested)
        {
            return await FailAsync(failure.Message);
        }
        if (json) Console.Out.WriteLine(report.ToJson());
        else report.Print(Console.Out);
        return report.Errors > 0 ? ExitErrors : 0;
    }

    private static async Task<int> FailAsync(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return ExitFailed;
    }
}
