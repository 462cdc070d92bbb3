using System.Globalization;
using System.Text.Json;
using SignupGuard.Core.Evaluation;
using Spectre.Console;

namespace SignupGuard.Cli.Evaluation;

/// <summary>How an evaluation is shown: JSON, a terminal's tables, and a folder of plots.</summary>
internal static class EvaluationOutput
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static string ToJson(EvaluatedStream stream, DetectionReport report, IReadOnlyDictionary<string, DetectionReport> baselines)
    {
        var node = JsonSerializer.SerializeToNode(report, Json)!.AsObject();
        node["early_members"] = node["early_members_flagged"]!.DeepClone();
        node["early_members_flagged"] = report.EarlyMembersFlagged.Share;
        node["signups_per_second"] = Math.Round(stream.SignupsPerSecond, 1);
        node["memory_mib"] = stream.MemoryMiB;
        node["left_out"] = stream.LeftOut;
        foreach (var (name, baseline) in baselines)
        {
            var inner = node["baselines"]?.AsObject() ?? [];
            inner[name] = JsonSerializer.SerializeToNode(
                new { recall_at_fpr = baseline.RecallAtFpr, recall_at_fpr_linkable = baseline.RecallAtFprLinkable, fpr_attained = baseline.FprAttained }, Json);
            node["baselines"] = inner;
        }
        return node.ToJsonString(Json);
    }

    public static void Print(EvaluatedStream stream, DetectionReport report, IReadOnlyDictionary<string, DetectionReport> baselines)
    {
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]{report.Signups:N0}[/] signups, {report.Fraud:N0} of them fraud, at {stream.SignupsPerSecond:N0} a second, {stream.MemoryMiB:N0} MiB; {stream.LeftOut:N0} lines left out.");
        var recall = new Table().Title("Recall at a false-positive rate fixed on the earlier signups").AddColumns("", "0.1 %", "1 %");
        AddRecall(recall, "decision in force", report.RecallAtFpr);
        AddRecall(recall, "… of linkable families", report.RecallAtFprLinkable);
        AddRecall(recall, "first answer", report.FirstRecallAtFpr);
        AddRecall(recall, "… of linkable families", report.FirstRecallAtFprLinkable);
        AddRecall(recall, "false positives attained", report.FprAttained);
        foreach (var (name, baseline) in baselines) AddRecall(recall, $"baseline {name}, linkable (attained {baseline.FprAttained["0.001"]:0.000} / {baseline.FprAttained["0.01"]:0.000})", baseline.RecallAtFprLinkable);
        AnsiConsole.Write(recall);

        AnsiConsole.Write(Groups("Attack families", report.Families, report.EscapedByFamily));
        AnsiConsole.Write(Groups("Ordinary populations", report.Populations, null));

        var facts = new Table().HideHeaders().AddColumns("", "");
        Add("accounts escaped before half of a campaign was caught", $"median {report.EscapedBeforeHalfCaught.Median:0}, p90 {report.EscapedBeforeHalfCaught.P90:0} of {report.EscapedBeforeHalfCaught.Campaigns} campaigns");
        Add("early members flagged later", $"{report.EarlyMembersFlagged.Share:P1} of {report.EarlyMembersFlagged.Members:N0}, {report.EarlyMembersFlagged.WithinFiveMinutes:P1} within five minutes of their network showing");
        Add("clusters", $"{report.Clusters:N0}, purity {report.Purity:0.000} by campaign, {report.LabelPurity:0.000} by label");
        Add("calibration error", $"{report.CalibrationError:0.000}");
        Add("ordinary signups denied / reviewed", $"{report.DenyFpr:P3} / {report.ReviewFpr:P2}");
        Add("fraud denied / flagged", $"{report.DeniedFraud:P1} / {report.FlaggedFraud:P1}");
        AnsiConsole.Write(facts);
        void Add(string name, FormattableString value) => facts.AddRow(Markup.Escape(name), Markup.Escape(FormattableString.Invariant(value)));
    }

    public static void WriteFolder(string folder, string json, DetectionReport report, IReadOnlyList<EvaluatedSignup> signups)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "evaluation.json"), json);
        File.WriteAllText(Path.Combine(folder, "precision-recall.svg"), SvgPlot.Lines("Precision and recall, later signups", "recall", "precision",
            [("decision in force", report.PrecisionRecallCurve.Select(point => (point.Recall, point.Precision)).ToList())]));
        File.WriteAllText(Path.Combine(folder, "calibration.svg"), SvgPlot.Lines("Calibration of first answers", "mean score", "share of fraud",
            [("score", report.CalibrationCurve.Select(bin => (bin.MeanScore, bin.FraudShare)).ToList()), ("perfect", [(0, 0), (1, 1)])]));
        File.WriteAllText(Path.Combine(folder, "families.svg"), SvgPlot.Bars("Share of each family above the 0.1 % threshold", "recall", [.. report.Families.Select(family => (family.Key, family.Value.AboveThreshold["0.001"]))]));
        File.WriteAllText(Path.Combine(folder, "populations.svg"), SvgPlot.Bars("Share of each ordinary population reviewed or denied", "share", [.. report.Populations.Select(group => (group.Key, group.Value.Review + group.Value.Deny))]));
        // By signup, for questions the figures leave open. No personal data: places in the stream and what was decided.
        using var each = new StreamWriter(Path.Combine(folder, "signups.csv"));
        each.WriteLine("ordinal,at_ms,fraud,group,campaign,first_verdict,first_log_odds,verdict,log_odds,raised_after,raised_at_ms,cluster,network_shown_at_ms");
        foreach (var signup in signups)
        {
            each.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{signup.Ordinal},{signup.AtMs},{(signup.Fraud ? 1 : 0)},{signup.Group},{signup.Campaign},{signup.FirstVerdict},{signup.FirstLogOdds:0.####},{signup.Verdict},{signup.LogOdds:0.####},{signup.RaisedAfter},{signup.RaisedAtMs},{signup.Cluster},{signup.NetworkShownAtMs}"));
        }
    }

    private static void AddRecall(Table table, string name, IReadOnlyDictionary<string, double> recall) =>
        table.AddRow(Markup.Escape(name), Number(recall["0.001"]), Number(recall["0.01"]));

    private static Table Groups(string title, IReadOnlyDictionary<string, GroupResult> groups, IReadOnlyDictionary<string, EscapeResult>? escapes)
    {
        var table = new Table().Title(title).AddColumns("", "signups", "first review", "first deny", "review", "deny", "> 0.1 %", "> 1 %", "escaped");
        foreach (var (name, group) in groups)
        {
            var escaped = escapes is not null && escapes.TryGetValue(name, out var found) ? $"{found.Median:0} / {found.P90:0}" : "";
            table.AddRow(
                Markup.Escape(name), group.Signups.ToString("N0", CultureInfo.InvariantCulture), Number(group.FirstReview), Number(group.FirstDeny), Number(group.Review), Number(group.Deny),
                Number(group.AboveThreshold["0.001"]), Number(group.AboveThreshold["0.01"]), escaped);
        }
        return table;
    }

    private static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
