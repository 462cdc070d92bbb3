using System.Globalization;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.Cli.Evaluation;

/// <summary>What the parameters of a policy's linkage do, drawn with the functions that decide.</summary>
internal static class LinkagePlots
{
    private const int Steps = 200;

    /// <summary>Plots by file name.</summary>
    public static IReadOnlyList<(string Name, string Svg)> Of(Policy policy) =>
    [
        ("hard-evidence.svg", Hard(policy)),
        ("half-life.svg", HalfLife()),
        ("surprise.svg", Surprise(policy.Linkage.Soft)),
        ("gate.svg", Gate(policy.Linkage.Soft)),
        ("ranks.svg", Ranks(policy.Linkage.Soft)),
        ("score.svg", Score(policy)),
    ];

    private static string Hard(Policy policy)
    {
        const double others = 20;
        var rules = policy.Linkage.Rules.Where(rule => rule.Class == LinkClass.Hard && rule.Mode != RuleMode.Off).Take(4).ToList();
        return SvgPlot.Curves(
            "Hard keys: evidence by other accounts",
            ("other accounts on the key, decayed", 0, others),
            ("log-odds", 0, Policy.LinkageLogOddsMax),
            [.. rules.Select(rule => (string.Create(CultureInfo.InvariantCulture, $"{rule.Kind}: weight {rule.Weight}, tolerance {rule.Tolerance}"), Points(0, others, rule.HardEvidence)))]);
    }

    private static string HalfLife()
    {
        const double days = 60;
        return SvgPlot.Curves(
            "Half-life: what an account counts after some days",
            ("days since the account", 0, days),
            ("counts as", 0, 1),
            [.. new[] { 3d, 30, 60, 180 }.Select(half => (string.Create(CultureInfo.InvariantCulture, $"half_life_days {half}"), Points(0, days, age => KeyState.Decay(0, (long)(age * KeyState.DayMs), half))))]);
    }

    private static string Surprise(SoftEvidence soft)
    {
        const double accounts = 20;
        return SvgPlot.Curves(
            "Soft keys: surprise by accounts",
            ("other accounts on the key, decayed", 0, accounts),
            ("surprise, powers of ten", 0, soft.SurpriseMax + 1),
            [.. new[] { soft.ExpectedMin, 1, 3, 6 }.Select(expected => (string.Create(CultureInfo.InvariantCulture, $"{expected} expected by chance"), Points(0, accounts, count => soft.Surprise(count, expected))))]);
    }

    private static string Gate(SoftEvidence soft) => SvgPlot.Curves(
        "The anomaly gate: what share of the surprise counts",
        ("share of the key's accounts that hide", 0, 1),
        ("counts", 0, 1),
        [.. new[] { 4d, 10, 100 }.Select(accounts => (string.Create(CultureInfo.InvariantCulture, $"{accounts} accounts on the key"), Points(0, 1, share => soft.Gate(share * accounts, accounts))))]);

    private static string Ranks(SoftEvidence soft)
    {
        var points = new List<(double, double)>();
        var (sum, factor) = (0d, soft.Weight);
        points.Add((0, 0));
        for (var key = 1; key <= 8; key++)
        {
            if (key <= soft.Best) sum += soft.SurpriseMax * factor;
            factor *= soft.RankFactor;
            points.Add((key, sum));
        }
        return SvgPlot.Curves(
            "Several soft keys of the greatest surprise together",
            ("keys", 0, 8),
            ("log-odds", 0, Policy.LinkageLogOddsMax),
            [(string.Create(CultureInfo.InvariantCulture, $"best {soft.Best}, rank_factor {soft.RankFactor}, weight {soft.Weight}"), points)]);
    }

    private static string Score(Policy policy) => SvgPlot.Curves(
        "From log-odds to the score",
        ("log-odds: base, rules and linkage", -6, 6),
        ("score, percent", 0, 100),
        [
            ("calibration", Points(-6, 6, policy.Calibration.Score)),
            (string.Create(CultureInfo.InvariantCulture, $"deny from {policy.DenyFrom}"), Points(-6, 6, _ => policy.DenyFrom)),
            (string.Create(CultureInfo.InvariantCulture, $"review from {policy.ReviewFrom}"), Points(-6, 6, _ => policy.ReviewFrom)),
        ]);

    private static IReadOnlyList<(double X, double Y)> Points(double from, double to, Func<double, double> y) =>
        [.. Enumerable.Range(0, Steps + 1).Select(step => from + ((to - from) * step / Steps)).Select(x => (x, y(x)))];
}
