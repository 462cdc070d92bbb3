namespace SignupGuard.Core.Policies;

/// <summary>Where a calibration curve passes: of signups with these log-odds, this share is fraud.</summary>
/// <param name="LogOdds">Sum of the contributions.</param>
/// <param name="Percent">Above 0, below 100.</param>
public readonly record struct CalibrationPoint(double LogOdds, double Percent);

/// <summary>
/// Turns the sum of contributions into a calibrated probability, strictly increasing. Either the two parameters of p = σ(slope·x + intercept)
/// (Platt 1999), or a curve through points fitted by isotonic regression (Zadrozny and Elkan 2002), straight between them on the log-odds'
/// scale and with slope 1 beyond them.
/// </summary>
public sealed class Calibration
{
    /// <summary>Most points of a curve.</summary>
    public const int PointsMax = 32;

    private readonly double _slope;
    private readonly double _intercept;
    private readonly double[] _from;
    private readonly double[] _to;

    public Calibration(double slope, double intercept) => (_slope, _intercept, _from, _to) = (slope, intercept, [], []);

    /// <param name="points">Two or more, strictly increasing in both.</param>
    public Calibration(IReadOnlyList<CalibrationPoint> points)
    {
        _slope = 1;
        _from = [.. points.Select(point => point.LogOdds)];
        _to = [.. points.Select(point => Math.Log(point.Percent / (100 - point.Percent)))];
    }

    /// <summary>Percent.</summary>
    public double Score(double logOdds) => 100 / (1 + Math.Exp(-Calibrated(logOdds)));

    private double Calibrated(double x)
    {
        if (_from.Length == 0) return (_slope * x) + _intercept;
        if (x <= _from[0]) return _to[0] + (x - _from[0]);
        if (x >= _from[^1]) return _to[^1] + (x - _from[^1]);
        var at = Array.BinarySearch(_from, x);
        if (at >= 0) return _to[at];
        at = ~at;
        return _to[at - 1] + ((_to[at] - _to[at - 1]) * (x - _from[at - 1]) / (_from[at] - _from[at - 1]));
    }
}
