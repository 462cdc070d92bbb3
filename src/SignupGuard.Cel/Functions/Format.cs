using System.Globalization;
using System.Numerics;
using System.Text;

namespace SignupGuard.Cel.Functions;

/// <summary>The <c>format</c> of CEL's strings extension: %s %d %f %e %b %o %x %X %%, with a precision as in %.3f.</summary>
internal static class Format
{
    private const int PrecisionMax = 100;
    private const int PrecisionDefault = 6;

    /// <summary>Exact decimal digits take some hundred operations.</summary>
    private const int ClauseWork = 50;

    public static CelValue Apply(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } format || arguments[1].Kind != CelKind.List) return Errors.NoOverload;
        var list = arguments[1].AsList();
        var built = new StringBuilder();
        var used = 0;
        for (var at = 0; at < format.Length; at++)
        {
            if (built.Length > meter.BuiltMax) return Errors.TooLarge;
            if (format[at] != '%')
            {
                built.Append(format[at]);
                continue;
            }
            if (++at < format.Length && format[at] == '%')
            {
                built.Append('%');
                continue;
            }
            var precision = -1;
            if (at < format.Length && format[at] == '.')
            {
                var digits = at + 1;
                while (at + 1 < format.Length && char.IsAsciiDigit(format[at + 1])) at++;
                if (!int.TryParse(format.AsSpan(digits, at + 1 - digits), NumberStyles.None, CultureInfo.InvariantCulture, out precision) || precision > PrecisionMax) return Errors.NotFormat;
                at++;
            }
            if (at >= format.Length || used >= list.Count) return Errors.NotFormat;
            if (!meter.Spend(ClauseWork)) return Errors.TooMuchWork;
            if (!Clause(built, format[at], precision < 0 ? PrecisionDefault : precision, list[used++], meter.BuiltMax)) return built.Length > meter.BuiltMax ? Errors.TooLarge : Errors.NotFormat;
        }
        return meter.Built(built.ToString());
    }

    private static bool Clause(StringBuilder built, char clause, int precision, in CelValue value, int builtMax)
    {
        if (clause == 's') return Plain(built, value, builtMax);
        var text = (clause, value.Kind) switch
        {
            ('d' or 'f' or 'e', CelKind.Double) when !double.IsFinite(value.AsDouble()) => Conversions.Text(value.AsDouble()),
            ('d', CelKind.Int or CelKind.Uint) => Conversions.Text(value),
            ('f', CelKind.Double or CelKind.Int or CelKind.Uint) => Fixed(value.AsDouble(), precision),
            ('e', CelKind.Double or CelKind.Int or CelKind.Uint) => Scientific(value.AsDouble(), precision),
            ('b', CelKind.Bool) => value.IsTrue ? "1" : "0",
            ('b', CelKind.Int or CelKind.Uint) => Signed(value, 2),
            ('o', CelKind.Int or CelKind.Uint) => Signed(value, 8),
            ('x', CelKind.Int or CelKind.Uint) => Signed(value, 16),
            ('X', CelKind.Int or CelKind.Uint) => Signed(value, 16).ToUpperInvariant(),
            ('x' or 'X', CelKind.String) => Hex(Encoding.UTF8.GetBytes(value.AsString()), clause),
            ('x' or 'X', CelKind.Bytes) => Hex(value.AsBytes(), clause),
            _ => null,
        };
        built.Append(text);
        return text is not null;
    }

    private static string Hex(byte[] bytes, char clause) => clause == 'x' ? Convert.ToHexStringLower(bytes) : Convert.ToHexString(bytes);

    private static string Signed(in CelValue value, int radix)
    {
        var isNegative = value.Kind == CelKind.Int && value.AsInt() < 0;
        var magnitude = value.Kind == CelKind.Uint ? value.AsUint() : isNegative ? (ulong)-(value.AsInt() + 1) + 1 : (ulong)value.AsInt();
        Span<char> digits = stackalloc char[64];
        var at = digits.Length;
        do
        {
            digits[--at] = "0123456789abcdef"[(int)(magnitude % (ulong)radix)];
            magnitude /= (ulong)radix;
        }
        while (magnitude > 0);
        return $"{(isNegative ? "-" : "")}{digits[at..]}";
    }

    /// <summary>Decimal digits of a double rounded half to even from its exact binary value, as IEEE 754 asks.</summary>
    private static string Fixed(double number, int precision)
    {
        var digits = Rounded(number, precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        var sign = double.IsNegative(number) ? "-" : "";
        return precision == 0 ? sign + digits : $"{sign}{digits[..^precision]}.{digits[^precision..]}";
    }

    private static string Scientific(double number, int precision)
    {
        if (number == 0) return $"{(double.IsNegative(number) ? "-" : "")}0{(precision > 0 ? "." + new string('0', precision) : "")}e+00";
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(number)));
        var digits = Rounded(number, precision - exponent).ToString(CultureInfo.InvariantCulture);
        // The logarithm may be one off, and rounding may carry into a new digit.
        if (digits.Length != precision + 1) digits = Rounded(number, precision - (exponent += digits.Length - precision - 1)).ToString(CultureInfo.InvariantCulture);
        if (digits.Length > precision + 1) (digits, exponent) = (digits[..(precision + 1)], exponent + 1);
        var fraction = precision > 0 ? "." + digits[1..] : "";
        return $"{(double.IsNegative(number) ? "-" : "")}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("D2", CultureInfo.InvariantCulture)}";
    }

    /// <summary>|number| times 10^decimals, rounded half to even, exactly.</summary>
    private static BigInteger Rounded(double number, int decimals)
    {
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = (BigInteger)(bits & 0xF_FFFF_FFFF_FFFF);
        if (exponent == 0) exponent = 1;
        else mantissa += BigInteger.One << 52;
        exponent -= 1075;
        var (numerator, denominator) = (mantissa, BigInteger.One);
        if (exponent >= 0) numerator <<= exponent;
        else denominator <<= -exponent;
        if (decimals >= 0) numerator *= BigInteger.Pow(10, decimals);
        else denominator *= BigInteger.Pow(10, -decimals);
        var quotient = BigInteger.DivRem(numerator, denominator, out var rest);
        var half = (rest * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    /// <summary>%s of any value; false where a value has no text, or the text grows too long.</summary>
    private static bool Plain(StringBuilder built, in CelValue value, int builtMax)
    {
        if (built.Length > builtMax) return false;
        switch (value.Kind)
        {
            case CelKind.String:
                built.Append(value.AsString());
                return true;
            case CelKind.Null:
                built.Append("null");
                return true;
            case CelKind.Type:
                built.Append(value.AsTypeName());
                return true;
            case CelKind.Bytes:
                built.Append(Encoding.UTF8.GetString(value.AsBytes()));
                return true;
            case CelKind.List:
                built.Append('[');
                for (var i = 0; i < value.Count; i++)
                {
                    if (i > 0) built.Append(", ");
                    if (!Plain(built, value.AsList()[i], builtMax)) return false;
                }
                built.Append(']');
                return true;
            case CelKind.Map:
                return Entries(built, value, builtMax);
            default:
                if (Conversions.Text(value) is not { } text) return false;
                built.Append(text);
                return true;
        }
    }

    /// <summary>In the order of the keys' text, so that equal maps read alike.</summary>
    private static bool Entries(StringBuilder built, in CelValue map, int builtMax)
    {
        built.Append('{');
        var isFirst = true;
        foreach (var (key, value) in map.AsEntries().Select(pair => (Key: pair.Key.Text ?? Conversions.Text(pair.Key) ?? "", pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!isFirst) built.Append(", ");
            isFirst = false;
            built.Append(key).Append(": ");
            if (!Plain(built, value, builtMax)) return false;
        }
        built.Append('}');
        return true;
    }
}
