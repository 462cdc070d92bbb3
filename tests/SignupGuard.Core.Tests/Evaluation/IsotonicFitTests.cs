using CsCheck;
using SignupGuard.Core.Evaluation;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Tests.Evaluation;

public sealed class IsotonicFitTests
{
    /// <summary>Signups of which those with log-odds x are fraud in a share of σ(f(x)).</summary>
    private static List<(double LogOdds, bool Fraud)> Sample(Func<double, double> f, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var x = (random.NextDouble() * 8) - 4;
            return (x, random.NextDouble() < 1 / (1 + Math.Exp(-f(x))));
        })];
    }

    [Test]
    public void A_bent_truth_is_followed_where_two_parameters_could_not()
    {
        // Flat in the middle: no straight line on the log-odds' scale is near it.
        static double Truth(double x) => x < 0 ? x - 1 : x < 2 ? -1 : x - 3;
        var curve = new Calibration(IsotonicFit.Fit(Sample(Truth, 200_000, 1))!);
        foreach (var x in (double[])[-3, -2, -1, 1, 3])
            Assert.That(curve.Score(x) / 100, Is.EqualTo(1 / (1 + Math.Exp(-Truth(x)))).Within(0.04), $"at {x}");
    }

    [Test]
    public void A_score_fitted_on_some_signups_says_what_happens_to_others()
    {
        var curve = new Calibration(IsotonicFit.Fit(Sample(x => (0.5 * x) - 2, 60_000, 2))!);
        foreach (var others in Sample(x => (0.5 * x) - 2, 40_000, 3).OrderBy(signup => signup.LogOdds).Chunk(4_000))
            Assert.That(others.Average(signup => curve.Score(signup.LogOdds)) / 100, Is.EqualTo((double)others.Count(signup => signup.Fraud) / others.Length).Within(0.03));
    }

    [Test]
    public void Whatever_the_labels_the_curve_rises_and_a_policy_accepts_it() =>
        Gen.Select(Gen.Double[-50, 50], Gen.Bool).List[0, 3_000].Sample(examples =>
        {
            if (IsotonicFit.Fit(examples) is not { } points) return true;
            var rises = points.Zip(points.Skip(1)).All(pair => pair.Second.LogOdds > pair.First.LogOdds && pair.Second.Percent > pair.First.Percent);
            return rises && points.Count is >= 2 and <= Calibration.PointsMax && points.All(point => point.Percent is > 0 and < 100);
        }, iter: 200);

    [Test]
    public void Labels_that_say_nothing_give_no_curve()
    {
        Assert.That(IsotonicFit.Fit([]), Is.Null);
        Assert.That(IsotonicFit.Fit(Enumerable.Range(0, 10_000).Select(i => ((double)i, false))), Is.Null);
        Assert.That(IsotonicFit.Fit(Enumerable.Range(0, 10_000).Select(_ => (1d, true))), Is.Null);
    }
}
