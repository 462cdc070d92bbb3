using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignupGuard.Cli.Evaluation;
using SignupGuard.Core.Evaluation;
using SignupGuard.Core.Policies;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard calibrate</c>: fits a policy's score to labels, so that 70 % means that seven in ten such signups are fraud. Fits on the
/// earlier signups, measures on the later, and writes a new draft; changes nothing that runs.
/// </summary>
internal static partial class CalibrateCommand
{
    private const int ExitFailed = 1;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var input = new Option<string[]>("--in") { Description = "File of signups in order of time, one a line. Several times for several streams.", Required = true };
        var labels = new Option<string[]>("--labels") { Description = "File of the truth, one for each --in.", Required = true };
        var policy = new Option<string?>("--policy") { Description = "YAML of the policy to calibrate. Default: the one shipped." };
        var output = new Option<string>("--out") { Description = "File for the draft: the same policy with another calibration.", Required = true };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("calibrate", "Fit the score of a policy to labels and write a new draft of it.") { input, labels, policy, output, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(input)?.Length != result.GetValue(labels)?.Length) result.AddError("Each --in has its --labels.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var path = parsed.GetValue(policy);
                if (EvaluateCommand.ReadPolicy(path) is not { } used) return ExitFailed;
                var streams = new List<List<EvaluatedSignup>>();
                foreach (var (signups, truth) in parsed.GetRequiredValue(input).Zip(parsed.GetRequiredValue(labels)))
                {
                    var stream = await MemoryEvaluation.RunAsync(signups, await Truth.ReadAsync(truth, cancellation), used, EvaluateCommand.Configuration(), false, (_, _) => { }, cancellation);
                    streams.Add(stream.Signups);
                }
                if (Fit(streams, used) is not { } result)
                {
                    await Console.Error.WriteLineAsync($"The labels do not support a curve: it takes {IsotonicFit.PointSignupsMin} signups a point, of both kinds, that the policy tells apart.");
                    return ExitFailed;
                }
                await File.WriteAllTextAsync(parsed.GetRequiredValue(output), WithCalibration(path is null ? DefaultPolicy.Yaml : await File.ReadAllTextAsync(path, cancellation), result), cancellation);
                Console.Out.WriteLine(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(result, Json)
                    : string.Create(CultureInfo.InvariantCulture, $"{result.Points.Count} points, fitted on {result.FittedOn:N0} signups; calibration error on the {result.MeasuredOn:N0} after them: {result.ErrorBefore:0.0000} before, {result.ErrorAfter:0.0000} after."));
                return 0;
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return ExitFailed;
            }
        });
        return command;
    }

    private sealed record Result(IReadOnlyList<CalibrationPoint> Points, long FittedOn, long MeasuredOn, double ErrorBefore, double ErrorAfter);

    private static Result? Fit(List<List<EvaluatedSignup>> streams, Policy policy)
    {
        var earlier = streams.SelectMany(signups => signups.Take((int)(signups.Count * DetectionMetrics.EarlierShare))).ToList();
        var later = streams.SelectMany(signups => signups.Skip((int)(signups.Count * DetectionMetrics.EarlierShare))).ToList();
        if (IsotonicFit.Fit(earlier.Select(signup => (signup.FirstLogOdds, signup.Fraud))) is not { } fitted) return null;
        // As they will be written.
        CalibrationPoint[] points = [.. fitted.Select(point => new CalibrationPoint(Math.Round(point.LogOdds, 2), double.Parse(point.Percent.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)))];
        var curve = new Calibration(points);
        return new Result(
            points,
            earlier.Count,
            later.Count,
            DetectionMetrics.CalibrationError(later, signup => policy.Calibration.Score(signup.FirstLogOdds)),
            DetectionMetrics.CalibrationError(later, signup => curve.Score(signup.FirstLogOdds)));
    }

    [GeneratedRegex(@"^calibration:.*(\r?\n[ \t]+.*)*", RegexOptions.Multiline)]
    private static partial Regex CalibrationSection { get; }

    /// <summary>The text with its calibration replaced, all else as written, comments too.</summary>
    private static string WithCalibration(string yaml, Result result)
    {
        var points = string.Join(", ", result.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"[{point.LogOdds}, {point.Percent}]")));
        var line = $"calibration: {{ points: [{points}] }}";
        return CalibrationSection.IsMatch(yaml) ? CalibrationSection.Replace(yaml, line, 1) : $"{yaml.TrimEnd()}\n\n{line}\n";
    }
}
