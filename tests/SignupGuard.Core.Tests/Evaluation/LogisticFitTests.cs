using CsCheck;
using SignupGuard.Core.Evaluation;

namespace SignupGuard.Core.Tests.Evaluation;

public sealed class LogisticFitTests
{
    /// <summary>Examples whose labels follow a known model exactly in proportion: each point stands for its own probability.</summary>
    private static List<FitExample> Sample(double intercept, double[] weights, int count, int seed)
    {
        var random = new Random(seed);
        var examples = new List<FitExample>();
        for (var i = 0; i < count; i++)
        {
            var features = weights.Select((_, feature) => (feature, Value: (random.NextDouble() * 4) - 2)).ToList();
            var logOdds = intercept + features.Sum(item => weights[item.feature] * item.Value);
            examples.Add(new FitExample(features, random.NextDouble() < 1 / (1 + Math.Exp(-logOdds))));
        }
        return examples;
    }

    [Test]
    public void A_known_model_is_found_again()
    {
        var model = LogisticFit.Fit(Sample(-1, [1.5, 0.4], 40_000, 1), [1, 1], ridge: 0, min: 0, max: 10);
        Assert.That(model.Intercept, Is.EqualTo(-1).Within(0.06));
        Assert.That(model.Weights[0], Is.EqualTo(1.5).Within(0.06));
        Assert.That(model.Weights[1], Is.EqualTo(0.4).Within(0.06));
    }

    [Test]
    public void Weights_stay_within_their_bounds_and_a_harmful_feature_gets_the_least() =>
        Assert.That(LogisticFit.Fit(Sample(0, [-1.0], 5_000, 2), [1], ridge: 0, min: 0, max: 10).Weights[0], Is.Zero);

    [Test]
    public void A_strong_ridge_keeps_the_weights_where_they_were() =>
        Assert.That(LogisticFit.Fit(Sample(0, [3.0], 2_000, 3), [1], ridge: 1e9, min: 0, max: 10).Weights[0], Is.EqualTo(1).Within(1e-3));

    [Test]
    public void No_fit_is_worse_than_where_it_began() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Double[-2, 2], Gen.Double[0, 3]).Sample((seed, intercept, weight) =>
        {
            var examples = Sample(intercept, [weight], 300, seed);
            var fitted = LogisticFit.Fit(examples, [1], ridge: 0, min: 0, max: 10);
            return fitted.LogLoss <= Loss(examples, 0, 1) + 1e-9;
        }, iter: 50);

    [Test]
    public void Nothing_to_learn_from_changes_nothing()
    {
        var model = LogisticFit.Fit([], [1, 2], ridge: 1, min: 0, max: 10);
        Assert.That(model.Weights, Is.EqualTo(new[] { 1d, 2d }));
    }

    private static double Loss(List<FitExample> examples, double intercept, double weight) => examples.Average(example =>
    {
        var logOdds = intercept + (weight * example.Features[0].Value);
        return Math.Log(1 + Math.Exp(example.Positive ? -logOdds : logOdds));
    });
}
