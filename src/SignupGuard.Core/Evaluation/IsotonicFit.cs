using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Evaluation;

/// <summary>
/// Fits a calibration curve to labels: isotonic regression by pooling adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002), thinned
/// to few points so that it says what the labels support and no more.
/// </summary>
public static class IsotonicFit
{
    /// <summary>Signups one point of the curve speaks for, at least: fewer say little about a share.</summary>
    public const int PointSignupsMin = 200;

    /// <summary>Log-odds two points are apart at least, in what they say: nearer ones say the same.</summary>
    private const double PointsApart = 0.35;

    /// <summary>Half a signup of either kind is added to each point, so that none says never or always.</summary>
    private const double Prior = 0.5;

    /// <summary>Null when the examples do not support two points: too few, of one kind, or not told apart at all.</summary>
    public static IReadOnlyList<CalibrationPoint>? Fit(IEnumerable<(double LogOdds, bool Fraud)> examples)
    {
        var blocks = new List<Block>();
        foreach (var chunk in examples.OrderBy(example => example.LogOdds).Chunk(PointSignupsMin))
        {
            if (chunk.Length < PointSignupsMin && blocks.Count > 0)
                blocks[^1] = blocks[^1].With(Block.Of(chunk));
            else
                blocks.Add(Block.Of(chunk));
            Pool(blocks, static (before, last) => last.Fraud * before.Signups <= before.Fraud * last.Signups);
        }
        // Thinned from the bottom: a point that hardly differs from the one before joins it.
        var thinned = new List<Block>();
        foreach (var block in blocks)
        {
            thinned.Add(block);
            Pool(thinned, static (before, last) => last.LogOddsOfShare - before.LogOddsOfShare < PointsApart || last.Mean <= before.Mean);
        }
        while (thinned.Count > Calibration.PointsMax)
        {
            var nearest = Enumerable.Range(1, thinned.Count - 1).MinBy(i => thinned[i].LogOddsOfShare - thinned[i - 1].LogOddsOfShare);
            thinned[nearest - 1] = thinned[nearest - 1].With(thinned[nearest]);
            thinned.RemoveAt(nearest);
        }
        return thinned.Count < 2 ? null : [.. thinned.Select(block => new CalibrationPoint(block.Mean, 100 * block.Share))];
    }

    private static void Pool(List<Block> blocks, Func<Block, Block, bool> together)
    {
        while (blocks.Count > 1 && together(blocks[^2], blocks[^1]))
        {
            blocks[^2] = blocks[^2].With(blocks[^1]);
            blocks.RemoveAt(blocks.Count - 1);
        }
    }

    private readonly record struct Block(double Sum, long Signups, long Fraud)
    {
        public double Mean => Sum / Signups;

        public double Share => (Fraud + Prior) / (Signups + (2 * Prior));

        public double LogOddsOfShare => Math.Log(Share / (1 - Share));

        public static Block Of((double LogOdds, bool Fraud)[] examples) => new(examples.Sum(example => example.LogOdds), examples.Length, examples.Count(example => example.Fraud));

        public Block With(Block other) => new(Sum + other.Sum, Signups + other.Signups, Fraud + other.Fraud);
    }
}
