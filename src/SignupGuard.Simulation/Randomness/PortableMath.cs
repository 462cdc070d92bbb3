namespace SignupGuard.Simulation.Randomness;

/// <summary>
/// Logarithm and exponential from the four basic operations, which IEEE 754 fixes to the bit. The C libraries' versions differ in the last
/// digit between systems, and a run must be the same bytes everywhere.
/// </summary>
internal static class PortableMath
{
    private const double Ln2 = 0.693147180559945309417;

    private static ReadOnlySpan<double> InverseFactorials =>
    [
        1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5_040, 1.0 / 40_320, 1.0 / 362_880,
        1.0 / 3_628_800, 1.0 / 39_916_800, 1.0 / 479_001_600, 1.0 / 6_227_020_800, 1.0 / 87_178_291_200,
    ];

    private static ReadOnlySpan<double> InverseOdds => [1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19];

    /// <summary>Natural logarithm of a positive, finite, normal number.</summary>
    public static double Ln(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)((bits >> 52) & 0x7FF) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (mantissa > 1.41421356237309504880)
        {
            mantissa *= 0.5;
            exponent++;
        }
        // ln m = 2 artanh((m - 1) / (m + 1)); |s| <= 0.172, so ten terms reach double precision.
        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var sum = 0.0;
        for (var k = InverseOdds.Length - 1; k >= 0; k--) sum = sum * square + InverseOdds[k];
        return exponent * Ln2 + 2 * s * sum;
    }

    /// <summary>e to the power of x, for |x| up to 700.</summary>
    public static double Exp(double x)
    {
        var k = Math.Floor(x / Ln2 + 0.5);
        var r = x - k * Ln2;
        // Taylor's series; |r| <= 0.347, so fourteen terms reach double precision.
        var sum = InverseFactorials[^1];
        for (var n = InverseFactorials.Length - 2; n >= 0; n--) sum = sum * r + InverseFactorials[n];
        return sum * BitConverter.Int64BitsToDouble(((long)k + 1023) << 52);
    }

    /// <summary>x to the power of y, for positive x.</summary>
    public static double Pow(double x, double y) => Exp(y * Ln(x));
}
