using System.Globalization;
using SignupGuard.V1;
using Spectre.Console;

namespace SignupGuard.Cli.Policies;

/// <summary>A backtest's report on a terminal.</summary>
internal static class BacktestOutput
{
    /// <summary>Rows of the longer tables; the JSON has all.</summary>
    private const int RowsMax = 15;

    public static void Print(BacktestReport report)
    {
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]Version {report.Version}[/] against version {report.BaseVersion} on {report.Signups:N0} signups{(report.Unreadable > 0 ? $"; {report.Unreadable:N0} can't be read any more" : "")}.");

        var moves = new Table().Title("Verdict moves").AddColumns("from", "to", "signups", "labelled bad", "labelled good", "examples");
        foreach (var move in report.Moves.Where(move => move.From != move.To && move.Signups > 0))
            moves.AddRow(move.From.ToString(), move.To.ToString(), Count(move.Signups), Count(move.LabelledBad), Count(move.LabelledGood), Markup.Escape(string.Join(' ', move.Samples.Take(3).Select(sample => sample.SignupId))));
        if (moves.Rows.Count > 0) AnsiConsole.Write(moves);
        else AnsiConsole.WriteLine("No verdict moves.");

        if (report.BaseMeasures is { } before && report.VersionMeasures is { } after)
        {
            var measures = new Table().Title("Against labels, with 95 % intervals").AddColumns("", $"version {report.BaseVersion}", $"version {report.Version}");
            void Add(string name, Func<LabelMeasures, Share?> of) => measures.AddRow(Markup.Escape(name), Say(of(before)), Say(of(after)));
            Add("flagged: precision", labels => labels.FlaggedPrecision);
            Add("flagged: recall", labels => labels.FlaggedRecall);
            Add("flagged: false-positive rate", labels => labels.FlaggedFalsePositiveRate);
            Add("denied: precision", labels => labels.DeniedPrecision);
            Add("denied: recall", labels => labels.DeniedRecall);
            Add("denied: false-positive rate", labels => labels.DeniedFalsePositiveRate);
            AnsiConsole.Write(measures);
        }

        var populations = new Table().Title("Where verdicts move").AddColumns("", "", "signups", "more severe", "less severe");
        foreach (var part in report.Populations.Where(part => part.MoreSevere + part.LessSevere > 0).OrderByDescending(part => part.MoreSevere + part.LessSevere).Take(RowsMax))
            populations.AddRow(Markup.Escape(part.Dimension), Markup.Escape(part.Value.Length > 0 ? part.Value : "(not said)"), Count(part.Signups), Count(part.MoreSevere), Count(part.LessSevere));
        if (populations.Rows.Count > 0) AnsiConsole.Write(populations);

        var rules = new Table().Title("Rules, by verdicts that hang on them").AddColumns("rule", "hits", "labelled bad", "labelled good", "undecided", "marginal");
        foreach (var rule in report.Rules.OrderByDescending(rule => rule.Marginal).ThenByDescending(rule => rule.Hits).Take(RowsMax))
            rules.AddRow(Markup.Escape(rule.RuleId), Count(rule.Hits), Count(rule.LabelledBad), Count(rule.LabelledGood), Count(rule.Undecided), Count(rule.Marginal));
        AnsiConsole.Write(rules);

        if (report.Clusters is { } clusters)
            AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Networks: {clusters.BaseClusters:N0} before, {clusters.VersionClusters:N0} after; {clusters.Merged:N0} joined, {clusters.Split:N0} split.");
        if (report.Days.Count == 0) return;
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Reviews a day: {report.Days.Average(day => day.BaseReviews):0.0} before, {report.Days.Average(day => day.VersionReviews):0.0} after (most {report.Days.Max(day => day.VersionReviews):N0}); denials: {report.Days.Average(day => day.BaseDenials):0.0} before, {report.Days.Average(day => day.VersionDenials):0.0} after.");
    }

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Say(Share? share) => share is null ? "–" : string.Create(CultureInfo.InvariantCulture, $"{share.Value:0.0000} ({share.Low:0.0000}–{share.High:0.0000}) of {share.Of:N0}");
}
