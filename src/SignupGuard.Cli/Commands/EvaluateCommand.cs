using System.CommandLine;
using Microsoft.Extensions.Configuration;
using SignupGuard.Cli.Evaluation;
using SignupGuard.Core.Evaluation;
using SignupGuard.Core.Policies;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard evaluate</c>: how well a labelled stream is told apart, by the real service or by the core in memory.</summary>
internal static class EvaluateCommand
{
    private const int ExitFailed = 1;
    private const int ExitLinesLeftOut = 2;

    /// <summary>Lines left out that are named; further ones are counted.</summary>
    private const int ReportedMax = 20;

    /// <summary>Families that no linkage can find, by construction: no two accounts share anything, or the front is a working company.</summary>
    private static readonly HashSet<string> Unlinkable = new(Simulation.Campaigns.Families.Unlinkable, StringComparer.Ordinal);

    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "File of signups in order of time, one a line, as 'signupguard simulate --out' writes it.", Required = true };
        var labels = new Option<string>("--labels") { Description = "File of the truth, as 'signupguard simulate --labels' writes it.", Required = true };
        var memory = new Option<bool>("--in-memory") { Description = "By the core alone, without a database." };
        var policy = new Option<string?>("--policy") { Description = "YAML of the policy, with --in-memory. Default: the one shipped." };
        var baselines = new Option<bool>("--baselines") { Description = "Measure the naive designs on the same stream too, with --in-memory." };
        var address = AddressOption.Create("gRPC address of a running service (http://127.0.0.1:7070). Without it the command starts a service of its own.");
        var folder = new Option<string?>("--report") { Description = "Folder for the figures as JSON, plots as SVG and each signup's decisions as CSV." };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON." };
        var host = new HostOptions();
        var command = new Command("evaluate", "Screen a labelled stream and report recall, false positives, escapes, clusters and calibration.")
        {
            input, labels, memory, policy, baselines, address, folder, json,
        };
        host.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(memory) && (result.GetValue(policy) is not null || result.GetValue(baselines))) result.AddError("--policy and --baselines go with --in-memory.");
            if (result.GetValue(memory) && result.GetValue(address) is not null) result.AddError("--in-memory and --address exclude each other.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var truth = await Truth.ReadAsync(parsed.GetRequiredValue(labels), cancellation);
                var reported = 0L;
                void Report(long line, string problem)
                {
                    if (++reported <= ReportedMax) Console.Error.WriteLine($"line {line}: left out: {problem}");
                }
                EvaluatedStream stream;
                if (parsed.GetValue(memory))
                {
                    if (ReadPolicy(parsed.GetValue(policy)) is not { } used) return ExitFailed;
                    stream = await MemoryEvaluation.RunAsync(parsed.GetRequiredValue(input), truth, used, Configuration(), parsed.GetValue(baselines), Report, cancellation);
                }
                else
                {
                    await using var connection = await ServiceConnection.OpenAsync(parsed.GetValue(address), host.Settings(parsed), cancellation);
                    stream = await ServiceEvaluation.RunAsync(parsed.GetRequiredValue(input), truth, connection.Client, Report, cancellation);
                }
                var report = DetectionMetrics.Measure(stream.Signups, Unlinkable);
                var naive = stream.Baselines.ToDictionary(pair => pair.Key, pair => DetectionMetrics.Measure(pair.Value, Unlinkable));
                var text = EvaluationOutput.ToJson(stream, report, naive);
                if (parsed.GetValue(folder) is { } path) EvaluationOutput.WriteFolder(path, text, report, stream.Signups);
                if (parsed.GetValue(json)) Console.Out.WriteLine(text);
                else EvaluationOutput.Print(stream, report, naive);
                return stream.LeftOut > 0 ? ExitLinesLeftOut : 0;
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return ExitFailed;
            }
        });
        return command;
    }

    internal static IConfiguration Configuration() => new ConfigurationBuilder().AddJsonFile("appsettings.json", optional: true).AddEnvironmentVariables().Build();

    /// <summary>The policy of a file, or the one shipped; null, with its issues on stderr, when it does not validate.</summary>
    internal static Policy? ReadPolicy(string? path)
    {
        var reading = PolicyReader.Read(path is null ? DefaultPolicy.Yaml : File.ReadAllText(path), 1);
        foreach (var issue in reading.Issues) Console.Error.WriteLine($"{path}: {issue}");
        return reading.Policy;
    }
}
