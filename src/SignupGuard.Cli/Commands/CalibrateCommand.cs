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
        var input = new Option<string>("--in") { Description = "File of signups in order of time, one a line.", Required = true };
        var labels = new Option<string>("--labels") { Description = "File of the truth.", Required = true };
        var policy = new Option<string?>("--policy") { Description = "YAML of the policy to calibrate. Default: the one shipped." };
        var output = new Option<string>("--out") { Description = "File for the draft: the same policy with another calibration.", Required = true };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("calibrate", "Fit the score of a policy to labels and write a new draft of it.") { input, labels, policy, output, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var path = parsed.GetValue(policy);
                if (EvaluateCommand.ReadPolicy(path) is not { } used) return ExitFailed;
                var truth = await Truth.ReadAsync(parsed.GetRequiredValue(labels), cancellation);
                var stream = await MemoryEvaluation.RunAsync(parsed.GetRequiredValue(input), truth, used, EvaluateCommand.Configuration(), false, (_, _) => { }, cancellation);
                var result = Fit(stream.Signups, used);
                await File.WriteAllTextAsync(parsed.GetRequiredValue(output), WithCalibration(path is null ? DefaultPolicy.Yaml : await File.ReadAllTextAsync(path, cancellation), result), cancellation);
                Console.Out.WriteLine(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(result, Json)
                    : string.Create(CultureInfo.InvariantCulture, $"slope {result.Slope:0.000}, intercept {result.Intercept:0.000}, fitted on {result.FittedOn:N0} signups; calibration error on the {result.MeasuredOn:N0} after them: {result.ErrorBefore:0.0000} before, {result.ErrorAfter:0.0000} after."));
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

    private sealed record Result(double Slope, double Intercept, long FittedOn, long MeasuredOn, double ErrorBefore, double ErrorAfter);

    private static Result Fit(List<EvaluatedSignup> signups, Policy policy)
    {
        var split = (int)(signups.Count * DetectionMetrics.EarlierShare);
        var (earlier, later) = (signups.Take(split).ToList(), signups.Skip(split).ToList());
        var model = LogisticFit.Fit([.. earlier.Select(signup => new FitExample([(0, signup.FirstLogOdds)], signup.Fraud))], [policy.Calibration.Slope], ridge: 1, min: 0.01, max: 100);
        var (slope, intercept) = (Math.Round(model.Weights[0], 3), Math.Round(model.Intercept, 3));
        var fitted = new Calibration(slope, intercept);
        return new Result(
            slope,
            intercept,
            earlier.Count,
            later.Count,
            DetectionMetrics.CalibrationError(later, signup => policy.Calibration.Score(signup.FirstLogOdds)),
            DetectionMetrics.CalibrationError(later, signup => fitted.Score(signup.FirstLogOdds)));
    }

    [GeneratedRegex(@"^calibration:.*(\r?\n[ \t]+.*)*", RegexOptions.Multiline)]
    private static partial Regex CalibrationSection { get; }

    /// <summary>The text with its calibration replaced, all else as written, comments too.</summary>
    private static string WithCalibration(string yaml, Result result)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"calibration: {{ slope: {result.Slope}, intercept: {result.Intercept} }}");
        return CalibrationSection.IsMatch(yaml) ? CalibrationSection.Replace(yaml, line, 1) : $"{yaml.TrimEnd()}\n\n{line}\n";
    }
}
