using CsCheck;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Tests.Policies;

public sealed class CalibrationTests
{
    private static PolicyReading With(string calibration) =>
        PolicyReader.Read($$"""
            name: p
            base_rate: 0.03
            thresholds: { review: 80, deny: 98 }
            failure_verdict: review
            {{calibration}}
            """, 1);

    [Test]
    public void A_curve_passes_through_its_points_and_goes_on_beyond_them()
    {
        var curve = With("calibration: { points: [[-2, 10], [0, 50], [1, 90]] }").Policy!.Calibration;
        Assert.That(curve.Score(-2), Is.EqualTo(10).Within(1e-9));
        Assert.That(curve.Score(0), Is.EqualTo(50).Within(1e-9));
        Assert.That(curve.Score(1), Is.EqualTo(90).Within(1e-9));
        // Half way in log-odds: from 50 % (0) to 90 % (ln 9).
        Assert.That(curve.Score(0.5), Is.EqualTo(75).Within(1e-9));
        Assert.That(curve.Score(2), Is.EqualTo(100 / (1 + (Math.Exp(-1) / 9))).Within(1e-9));
    }

    [Test]
    public void More_evidence_never_scores_less() =>
        Gen.Select(
            Gen.Select(Gen.Double[0.01, 5], Gen.Double[0.01, 3]).List[2, Calibration.PointsMax],
            Gen.Double[-200, 200],
            Gen.Double[0, 10]).Sample((steps, x, more) =>
        {
            var (logOdds, share) = (-5d, -5d);
            var points = steps.ConvertAll(step => new CalibrationPoint(logOdds += step.Item1, 100 / (1 + Math.Exp(-(share += step.Item2)))));
            var curve = new Calibration([.. points.Where(point => point.Percent < 99.99)]);
            return curve.Score(x) <= curve.Score(x + more);
        });

    [TestCase("calibration: { points: [[0, 50]] }", "calibration.points")]
    [TestCase("calibration: { points: [[0, 50], [1, 50]] }", "calibration.points[1]")]
    [TestCase("calibration: { points: [[1, 50], [0, 60]] }", "calibration.points[1]")]
    [TestCase("calibration: { points: [[0, 0], [1, 60]] }", "calibration.points[0]")]
    [TestCase("calibration: { points: [[0, 50], [1, 100]] }", "calibration.points[1]")]
    [TestCase("calibration: { points: [[0, 50, 3], [1, 60]] }", "calibration.points[0]")]
    [TestCase("calibration: { points: [[.nan, 50], [1, 60]] }", "calibration.points[0]")]
    [TestCase("calibration: { points: [[0, 50], ~] }", "calibration.points[1]")]
    [TestCase("calibration: { slope: 0 }", "calibration.slope")]
    [TestCase("calibration: { slope: 1, points: [[0, 50], [1, 60]] }", "calibration")]
    public void A_calibration_that_is_no_rising_curve_is_refused_where_it_errs(string calibration, string path)
    {
        var reading = With(calibration);
        Assert.That(reading.Policy, Is.Null);
        Assert.That(reading.Issues.Select(issue => issue.Path), Does.Contain(path));
    }
}
