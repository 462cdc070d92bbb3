namespace SignupGuard.Simulation.Randomness;

/// <summary>
/// Logarithm and exponential from the four basic operations, which IEEE 754 fixes to the bit. The C libraries' versions differ in the last
/// digit between systems, and a run must be the same bytes everywhere.
/// </summary>
internal static class PortableMath
{
    private const double Ln2 = 0.693147180559945309417;

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
        for (var k = 19; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
        return exponent * Ln2 + 2 * s * sum;
    }

    /// <summary>e to the power of x, for |x| up to 700.</summary>
    public static double Exp(double x)
    {
        var k = Math.Floor(x / Ln2 + 0.5);
        var r = x - k * Ln2;
        var sum = 1.0;
        for (var n = 14; n >= 1; n--) sum = 1 + sum * r / n;
        return sum * BitConverter.Int64BitsToDouble(((long)k + 1023) << 52);
    }

    /// <summary>x to the power of y, for positive x.</summary>
    public static double Pow(double x, double y) => Exp(y * Ln(x));
}
