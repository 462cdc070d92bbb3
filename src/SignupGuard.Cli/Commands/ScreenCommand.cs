using System.CommandLine;
using System.Text.Json;
using Grpc.Core;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.V1;
using Spectre.Console;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard screen</c>: a file of signups in, a file of decisions out, line by line in order. Bad lines are reported and left out.
/// Running it again is safe: signups that were screened get their stored decisions.
/// </summary>
internal static class ScreenCommand
{
    private const int ExitFailed = 1;
    private const int ExitLinesLeftOut = 2;

    /// <summary>Bad lines listed in full; further ones are counted.</summary>
    private const int ReportedMax = 1_000;


    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "File of signups, one a line: proto JSON of Signup or of ScreenSignupRequest. - reads the standard input.", Required = true };
        var output = new Option<string>("--out") { Description = "File of decisions: proto JSON of ScreenSignupResponse, one a line, in the order of the signups. - writes to the standard output.", Required = true };
        var address = AddressOption.Create("gRPC address of a running service (http://127.0.0.1:7070). Without it the command starts a service of its own.");
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON." };
        var host = new HostOptions();
        var command = new Command("screen", "Screen a file of signups. Exit code 0: every line was screened; 2: some lines were bad and left out; 1: it could not be finished.")
        {
            input, output, address, json,
        };
        host.AddTo(command);
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetValue(address), host.Settings(parsed), parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string input, string output, Uri? address, Dictionary<string, string?> settings, bool json, CancellationToken cancellation)
    {
        if (input != OutputFile.StandardStream && output != OutputFile.StandardStream && Path.GetFullPath(input) == Path.GetFullPath(output)) return await FailAsync("--in and --out are the same file.");
        var report = new ScreenReport();
        try
        {
            await using var signups = input == OutputFile.StandardStream ? Console.OpenStandardInput() : File.OpenRead(input);
            await using var decisions = OutputFile.Create(output);
            await using (var connection = await ServiceConnection.OpenAsync(address, settings, cancellation))
            {
                await WithProgressAsync(signups, async progress =>
                {
                    using var stream = new SignupStream(connection.Client, signups, decisions.Content, report, progress);
                    await stream.RunAsync(cancellation);
                });
            }
            await decisions.FinishAsync();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return await FailAsync(failure.Message);
        }
        catch (RpcException failure) when (failure.StatusCode != StatusCode.Cancelled || !cancellation.IsCancellationRequested)
        {
            return await FailAsync($"After {report.Screened:N0} answers the service failed: {failure.Status.StatusCode}: {failure.Status.Detail} Run the command again: signups already screened get the same answers.");
        }
        Print(report, json, output == OutputFile.StandardStream ? Console.Error : Console.Out);
        return report.LeftOut > 0 ? ExitLinesLeftOut : 0;
    }

    private static async Task<int> FailAsync(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return ExitFailed;
    }

    private static async Task WithProgressAsync(Stream signups, Func<Action<long>, Task> run)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (Console.IsErrorRedirected || !signups.CanSeek || signups.Length == 0)
        {
            await run(_ => { });
            return;
        }
        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("screening", maxValue: signups.Length);
                await run(bytes => task.Value = bytes);
                task.Value = task.MaxValue;
            });
    }

    private static void Print(ScreenReport report, bool json, TextWriter to)
    {
        if (json)
        {
            to.WriteLine(JsonSerializer.Serialize(report.ToJson(), ScreenJson.Default.ScreenSummary));
            return;
        }
        to.WriteLine($"{report.Screened:N0} screened: {report.Allowed:N0} allow, {report.Reviewed:N0} review, {report.Denied:N0} deny. {report.LeftOut:N0} left out.");
    }

    /// <summary>What became of the lines; bad ones go to stderr as they are found, by the sender or by the receiver.</summary>
    internal sealed class ScreenReport
    {
        private readonly Lock _adding = new();
        private readonly List<BadLine> _bad = [];

        public long Screened { get; private set; }

        public long Allowed { get; private set; }

        public long Reviewed { get; private set; }

        public long Denied { get; private set; }

        public long LeftOut { get; private set; }

        public void Add(Verdict verdict)
        {
            Screened++;
            if (verdict == Verdict.Allow) Allowed++;
            else if (verdict == Verdict.Review) Reviewed++;
            else if (verdict == Verdict.Deny) Denied++;
        }

        public void AddBad(long line, string reason, string message, IEnumerable<FieldViolation> violations)
        {
            using var adding = _adding.EnterScope();
            LeftOut++;
            if (LeftOut > ReportedMax) return;
            var bad = new BadLine(line, reason, message, [.. violations]);
            _bad.Add(bad);
            if (bad.Violations.Count == 0) Console.Error.WriteLine($"line {line}: {reason}: {message}");
            foreach (var violation in bad.Violations) Console.Error.WriteLine($"line {line}: {violation.Field}: {violation.Code}: {violation.Description}");
            if (LeftOut == ReportedMax) Console.Error.WriteLine($"{ReportedMax:N0} bad lines were listed; further ones are only counted.");
        }

        public ScreenSummary ToJson() => new(Screened, Allowed, Reviewed, Denied, LeftOut, [.. _bad.OrderBy(bad => bad.Line)]);
    }

    internal sealed record BadLine(long Line, string Reason, string Message, IReadOnlyList<FieldViolation> Violations);

    internal sealed record ScreenSummary(long Screened, long Allow, long Review, long Deny, long LeftOut, IReadOnlyList<BadLine> BadLines);
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower)]
[System.Text.Json.Serialization.JsonSerializable(typeof(ScreenCommand.ScreenSummary))]
internal sealed partial class ScreenJson : System.Text.Json.Serialization.JsonSerializerContext;
