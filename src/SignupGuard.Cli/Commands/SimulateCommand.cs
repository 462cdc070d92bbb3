using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.V1;
using Spectre.Console;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard simulate</c>: signups of ordinary people and of attackers in order of time, and apart from them the truth. The same options give the
/// same bytes.
/// </summary>
internal static class SimulateCommand
{
    private const int ExitFailed = 1;
    private const string ParametersDefault = "default";
    private const string ParametersHeldOut = "held-out";

    /// <summary>Signups between two movements of the progress bar.</summary>
    private const int ProgressEvery = 1_000;

    public static Command Create()
    {
        var seed = new Option<ulong>("--seed") { Description = "The same seed and options give the same bytes.", DefaultValueFactory = _ => 1 };
        var benign = new Option<int>("--benign") { Description = "Signups of ordinary people, exactly.", DefaultValueFactory = _ => 40_000 };
        var days = new Option<double>("--days") { Description = "Length of the run.", DefaultValueFactory = _ => 14 };
        var start = new Option<DateTimeOffset?>("--start")
        {
            Description = $"When the run begins (RFC 3339, UTC unless it says otherwise); does not follow the clock. [default: {SimulationOptions.StartDefault:yyyy-MM-dd'T'HH:mm:ss'Z'}]",
            CustomParser = result =>
            {
                if (ParseStart(result.Tokens[0].Value) is { } at) return at;
                result.AddError("--start takes a time such as 2026-02-02T00:00:00Z.");
                return null;
            },
        };
        var family = new Option<string[]>("--family")
        {
            Description = "NAME=COUNT, repeatable: attack signups by family; families not named are left out. Without it all families in the default mix, 16 % of all signups. "
                + $"Names: {string.Join(", ", Families.All)}.",
            HelpName = "NAME=COUNT",
        };
        var noAttacks = new Option<bool>("--no-attacks") { Description = "Ordinary people only." };
        var parameters = new Option<string>("--parameters")
        {
            Description = "Ranges the campaigns draw from: those defaults were tuned on, or others, for measuring.",
            DefaultValueFactory = _ => ParametersDefault,
        };
        parameters.AcceptOnlyFromAmong(ParametersDefault, ParametersHeldOut);
        var set = new Option<string[]>("--set")
        {
            Description = "NAME=LOW..HIGH or NAME=VALUE, repeatable: one campaign parameter by hand. --list-parameters names them.",
            HelpName = "NAME=LOW..HIGH",
        };
        var output = new Option<string?>("--out")
        {
            Description = "File of signups, one a line: proto JSON of Signup, as 'signupguard screen --in' reads it. - writes to the standard output.",
        };
        var labels = new Option<string?>("--labels")
        {
            Description = "File of the truth, one a line: signup_id, label (fraud, benign), family or population, campaign.",
        };
        var list = new Option<bool>("--list-parameters") { Description = "Print the campaign parameters with their ranges and stop." };
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON." };
        var command = new Command("simulate", "Make signups of ordinary people and of attackers, with the truth in a file of its own.")
        {
            seed, benign, days, start, family, noAttacks, parameters, set, output, labels, list, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(list)) return;
            if (result.GetValue(output) is null) result.AddError("--out is needed.");
            if (result.GetValue(family) is { Length: > 0 } && result.GetValue(noAttacks)) result.AddError("--family and --no-attacks exclude each other.");
            foreach (var text in result.GetValue(family) ?? [])
                if (ParseFamily(text) is null) result.AddError($"--family takes NAME=COUNT, not '{text}'.");
            foreach (var text in result.GetValue(set) ?? [])
                if (ParseRange(text) is null) result.AddError($"--set takes NAME=LOW..HIGH or NAME=VALUE, not '{text}'.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(list)) return ListParameters(parsed.GetValue(json));
            var families = parsed.GetValue(family) ?? [];
            var options = new SimulationOptions
            {
                Seed = parsed.GetValue(seed),
                Benign = parsed.GetValue(benign),
                Days = parsed.GetValue(days),
                Start = parsed.GetValue(start) ?? SimulationOptions.StartDefault,
                Families = families.Length == 0 && !parsed.GetValue(noAttacks) ? null : Sum(families.Select(text => ParseFamily(text)!.Value)),
                Parameters = parsed.GetValue(parameters) == ParametersHeldOut ? ParameterSet.HeldOut : ParameterSet.Default,
                ParameterOverrides = (parsed.GetValue(set) ?? [])
                    .Select(text => ParseRange(text)!.Value)
                    .GroupBy(item => item.Name)
                    .ToDictionary(group => group.Key, group => group.Last().Range),
            };
            return await RunAsync(options, parsed.GetRequiredValue(output)!, parsed.GetValue(labels), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    /// <summary>Null when the text is not NAME=COUNT.</summary>
    internal static (string Name, int Count)? ParseFamily(string text) =>
        text.Split('=') is [{ Length: > 0 } name, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? (name.Trim(), count) : null;

    private static DateTimeOffset? ParseStart(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    /// <summary>Null when the text is neither NAME=LOW..HIGH nor NAME=VALUE.</summary>
    internal static (string Name, ParameterRange Range)? ParseRange(string text)
    {
        if (text.Split('=') is not [{ Length: > 0 } name, { Length: > 0 } value]) return null;
        var ends = value.Split("..");
        if (ends.Length > 2
            || !double.TryParse(ends[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var low)
            || !double.TryParse(ends[^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var high))
        {
            return null;
        }
        return (name.Trim(), new ParameterRange(low, high));
    }

    private static Dictionary<string, int> Sum(IEnumerable<(string Name, int Count)> families) =>
        families.GroupBy(family => family.Name).ToDictionary(group => group.Key, group => group.Sum(family => family.Count));

    private static async Task<int> RunAsync(SimulationOptions options, string output, string? labels, bool json, CancellationToken cancellation)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            foreach (var error in errors) await Console.Error.WriteLineAsync(error);
            return ExitFailed;
        }
        if (labels is not null && output != OutputFile.StandardStream && Path.GetFullPath(labels) == Path.GetFullPath(output))
            return await FailAsync("--out and --labels are the same file.");
        var groups = new SortedDictionary<string, long>(StringComparer.Ordinal);
        try
        {
            await using var signupFile = OutputFile.Create(output);
            await using var labelFile = labels is null ? null : OutputFile.Create(labels);
            await using (var signups = new StreamWriter(signupFile.Content, bufferSize: 1 << 16))
            await using (var truth = labelFile is null ? null : new StreamWriter(labelFile.Content, bufferSize: 1 << 16))
            {
                signups.NewLine = "\n";
                if (truth is not null) truth.NewLine = "\n";
                await WithProgressAsync(options, move => Task.Run(() => Write(options, signups, truth, groups, move, cancellation), cancellation));
            }
            await signupFile.FinishAsync();
            if (labelFile is not null) await labelFile.FinishAsync();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return await FailAsync(failure.Message);
        }
        Print(options, groups, json, output == OutputFile.StandardStream ? Console.Error : Console.Out);
        return 0;
    }

    private static void Write(
        SimulationOptions options,
        StreamWriter signups,
        StreamWriter? truth,
        SortedDictionary<string, long> groups,
        Action<long> move,
        CancellationToken cancellation)
    {
        var formatter = new JsonFormatter(JsonFormatter.Settings.Default);
        var written = 0L;
        foreach (var simulated in SimulationRun.Of(options))
        {
            cancellation.ThrowIfCancellationRequested();
            formatter.Format(simulated.Signup, signups);
            signups.WriteLine();
            truth?.WriteLine(JsonSerializer.Serialize(LabelLine.Of(simulated), SimulateJson.Default.LabelLine));
            groups[simulated.Group] = groups.GetValueOrDefault(simulated.Group) + 1;
            if (++written % ProgressEvery == 0) move(written);
        }
    }

    private static async Task WithProgressAsync(SimulationOptions options, Func<Action<long>, Task> run)
    {
        if (Console.IsErrorRedirected)
        {
            await run(_ => { });
            return;
        }
        var total = options.Benign + (options.Families ?? Families.DefaultMix(options.Benign)).Values.Sum(count => (long)count);
        await AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("simulating", maxValue: total);
                await run(written => task.Value = written);
                task.Value = task.MaxValue;
            });
    }

    private static async Task<int> FailAsync(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return ExitFailed;
    }

    private static void Print(SimulationOptions options, SortedDictionary<string, long> groups, bool json, TextWriter to)
    {
        var fraud = groups.Where(group => Families.All.Contains(group.Key)).Sum(group => group.Value);
        var total = groups.Values.Sum();
        if (json)
        {
            var parameters = options.Parameters == ParameterSet.HeldOut ? ParametersHeldOut : ParametersDefault;
            var summary = new SimulateSummary(options.Seed, options.Start, options.Days, parameters, total, fraud, groups);
            to.WriteLine(JsonSerializer.Serialize(summary, SimulateJson.Default.SimulateSummary));
            return;
        }
        to.WriteLine($"{total:N0} signups, {fraud:N0} of them fraud.");
        foreach (var (group, count) in groups.OrderByDescending(group => group.Value)) to.WriteLine($"  {group,-20} {count,10:N0}");
    }

    private static int ListParameters(bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                Parameter.All.Select(p => new ParameterLine(p.Name, p.Meaning, p.Default.Low, p.Default.High, p.HeldOut.Low, p.HeldOut.High)).ToList(),
                SimulateJson.Default.ListParameterLine));
            return 0;
        }
        foreach (var p in Parameter.All)
            Console.Out.WriteLine($"{p.Name,-42} {Text(p.Default),12} {Text(p.HeldOut),12}  {p.Meaning}");
        return 0;
    }

    private static string Text(ParameterRange range) => string.Create(CultureInfo.InvariantCulture, $"{range.Low}..{range.High}");

    /// <summary>One line of the truth.</summary>
    internal sealed record LabelLine(string SignupId, string Label, string? Family, string? Population, string? Campaign)
    {
        public static LabelLine Of(SimulatedSignup simulated) => simulated.Fraud
            ? new LabelLine(simulated.Signup.SignupId, "fraud", simulated.Group, null, simulated.Campaign)
            : new LabelLine(simulated.Signup.SignupId, "benign", null, simulated.Group, null);
    }

    internal sealed record SimulateSummary(ulong Seed, DateTimeOffset Start, double Days, string Parameters, long Signups, long Fraud, IReadOnlyDictionary<string, long> Groups);

    internal sealed record ParameterLine(string Name, string Meaning, double DefaultLow, double DefaultHigh, double HeldOutLow, double HeldOutHigh);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SimulateCommand.LabelLine))]
[JsonSerializable(typeof(SimulateCommand.SimulateSummary))]
[JsonSerializable(typeof(List<SimulateCommand.ParameterLine>))]
internal sealed partial class SimulateJson : JsonSerializerContext;
