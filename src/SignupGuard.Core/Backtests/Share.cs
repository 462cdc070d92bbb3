namespace SignupGuard.Core.Backtests;

/// <summary>A share of a count, with its interval.</summary>
/// <param name="Value">0 to 1.</param>
/// <param name="Low">Of the 95 % interval.</param>
/// <param name="High">Of the 95 % interval.</param>
/// <param name="Of">What it is a share of.</param>
public sealed record Share(double Value, double Low, double High, long Of)
{
    /// <summary>Standard normal quantile of 97.5 %.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>By Wilson's score interval, which stays within 0 and 1 and is honest for few and for extreme shares. Null of nothing: nothing is known.</summary>
    public static Share? Wilson(long count, long of)
    {
        if (of == 0) return null;
        var (share, square) = ((double)count / of, Z * Z);
        var middle = (share + (square / (2 * of))) / (1 + (square / of));
        var half = Z / (1 + (square / of)) * Math.Sqrt((share * (1 - share) / of) + (square / (4.0 * of * of)));
        // Rounding may leave 0 and 1 by a hair.
        return new Share(share, count == 0 ? 0 : Math.Max(0, middle - half), count == of ? 1 : Math.Min(1, middle + half), of);
    }
}
