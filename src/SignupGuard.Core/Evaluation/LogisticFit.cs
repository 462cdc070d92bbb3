namespace SignupGuard.Core.Evaluation;

/// <summary>One labelled example: its features by index, those that are not 0.</summary>
public sealed record FitExample(IReadOnlyList<(int Feature, double Value)> Features, bool Positive);

/// <summary>What a fit found: p = σ(intercept + Σ weight·value).</summary>
public sealed record FittedModel(double Intercept, IReadOnlyList<double> Weights, double LogLoss);

/// <summary>
/// Logistic regression with a ridge towards given weights and bounds on each: cyclic coordinate descent with Newton steps, as in
/// LIBLINEAR and glmnet. Plain, exact enough and the same on every machine.
/// </summary>
public static class LogisticFit
{
    /// <summary>Rounds over all coordinates; it stops sooner when nothing moves any more.</summary>
    public const int SweepsMax = 100;

    private const double Converged = 1e-4;

    /// <param name="prior">Weight each feature is drawn to; also where it starts.</param>
    /// <param name="ridge">How strongly, in examples' worth of curvature. 0 or more.</param>
    /// <param name="min">Least weight allowed.</param>
    /// <param name="max">Largest weight allowed.</param>
    public static FittedModel Fit(IReadOnlyList<FitExample> examples, IReadOnlyList<double> prior, double ridge, double min, double max)
    {
        var weights = prior.ToArray();
        var columns = Columns(examples, weights.Length);
        var margins = new double[examples.Count];
        var labels = new double[examples.Count];
        for (var i = 0; i < examples.Count; i++)
        {
            labels[i] = examples[i].Positive ? 1 : 0;
            foreach (var (feature, value) in examples[i].Features) margins[i] += weights[feature] * value;
        }
        var intercept = 0d;
        for (var sweep = 0; sweep < SweepsMax; sweep++)
        {
            var moved = 0d;
            var (gradient, curvature) = (0d, 1e-9);
            for (var i = 0; i < margins.Length; i++)
            {
                var p = Sigmoid(margins[i]);
                gradient += p - labels[i];
                curvature += p * (1 - p);
            }
            var step = Math.Clamp(-gradient / curvature, -1, 1);
            intercept += step;
            for (var i = 0; i < margins.Length; i++) margins[i] += step;
            moved = Math.Max(moved, Math.Abs(step));

            for (var feature = 0; feature < weights.Length; feature++)
            {
                gradient = ridge * (weights[feature] - prior[feature]);
                curvature = ridge + 1e-9;
                foreach (var (example, value) in columns[feature])
                {
                    var p = Sigmoid(margins[example]);
                    gradient += (p - labels[example]) * value;
                    curvature += p * (1 - p) * value * value;
                }
                var next = Math.Clamp(weights[feature] - Math.Clamp(gradient / curvature, -1, 1), min, max);
                step = next - weights[feature];
                if (step == 0) continue;
                weights[feature] = next;
                foreach (var (example, value) in columns[feature]) margins[example] += step * value;
                moved = Math.Max(moved, Math.Abs(step));
            }
            if (moved < Converged) break;
        }
        var loss = 0d;
        for (var i = 0; i < margins.Length; i++) loss += labels[i] > 0 ? Softplus(-margins[i]) : Softplus(margins[i]);
        return new FittedModel(intercept, weights, examples.Count == 0 ? 0 : loss / examples.Count);
    }

    private static List<(int Example, double Value)>[] Columns(IReadOnlyList<FitExample> examples, int features)
    {
        var columns = new List<(int, double)>[features];
        for (var i = 0; i < features; i++) columns[i] = [];
        for (var i = 0; i < examples.Count; i++)
        {
            foreach (var (feature, value) in examples[i].Features) columns[feature].Add((i, value));
        }
        return columns;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Softplus(double x) => x > 30 ? x : Math.Log(1 + Math.Exp(x));
}
