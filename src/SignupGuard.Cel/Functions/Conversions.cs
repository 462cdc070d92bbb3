using System.Globalization;
using System.Text;

namespace SignupGuard.Cel.Functions;

/// <summary>CEL's conversion functions; what does not fit is an error value.</summary>
internal static class Conversions
{
    private const double TwoTo63 = 9223372036854775808d;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static CelValue ToInt(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        var value = arguments[0];
        return value.Kind switch
        {
            CelKind.Int => value,
            CelKind.Uint => value.AsUint() <= long.MaxValue ? CelValue.From((long)value.AsUint()) : Errors.OutOfRange,
            CelKind.Double => value.AsDouble() is > -TwoTo63 and < TwoTo63 and var number ? CelValue.From((long)number) : Errors.OutOfRange,
            CelKind.String => long.TryParse(value.AsString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? CelValue.From(parsed) : Errors.NotNumber,
            CelKind.Timestamp => CelValue.From(value.AsUnix().Seconds),
            _ => Errors.NoOverload,
        };
    }

    public static CelValue ToUint(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        var value = arguments[0];
        return value.Kind switch
        {
            CelKind.Uint => value,
            CelKind.Int => value.AsInt() >= 0 ? CelValue.From((ulong)value.AsInt()) : Errors.OutOfRange,
            CelKind.Double => value.AsDouble() is >= 0 and < 2 * TwoTo63 and var number ? CelValue.From((ulong)number) : Errors.OutOfRange,
            CelKind.String => ulong.TryParse(value.AsString(), NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? CelValue.From(parsed) : Errors.NotNumber,
            _ => Errors.NoOverload,
        };
    }

    public static CelValue ToDouble(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        var value = arguments[0];
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return value.Kind switch
        {
            CelKind.Int or CelKind.Uint or CelKind.Double => CelValue.From(value.AsDouble()),
            CelKind.String => value.AsString() switch
            {
                "NaN" => CelValue.From(double.NaN),
                "Infinity" or "+Infinity" or "Inf" or "+Inf" => CelValue.From(double.PositiveInfinity),
                "-Infinity" or "-Inf" => CelValue.From(double.NegativeInfinity),
                var text => double.TryParse(text, Style, CultureInfo.InvariantCulture, out var parsed) ? CelValue.From(parsed) : Errors.NotNumber,
            },
            _ => Errors.NoOverload,
        };
    }

    public static CelValue ToBool(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Bool => arguments[0],
        CelKind.String => arguments[0].AsString() switch
        {
            "true" or "True" or "TRUE" or "t" or "1" => CelValue.True,
            "false" or "False" or "FALSE" or "f" or "0" => CelValue.False,
            _ => Errors.NotBool,
        },
        _ => Errors.NoOverload,
    };

    public static CelValue ToText(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        var value = arguments[0];
        return value.Kind switch
        {
            CelKind.String => value,
            CelKind.Bytes => Decode(ref meter, value.AsBytes()),
            _ => Text(value) is { } text ? meter.Built(text) : Errors.NoOverload,
        };
    }

    /// <summary>Text of a bool, number, timestamp or duration; null for other kinds.</summary>
    public static string? Text(in CelValue value) => value.Kind switch
    {
        CelKind.Bool => value.IsTrue ? "true" : "false",
        CelKind.Int => value.AsInt().ToString(CultureInfo.InvariantCulture),
        CelKind.Uint => value.AsUint().ToString(CultureInfo.InvariantCulture),
        CelKind.Double => Text(value.AsDouble()),
        CelKind.Timestamp => Times.Text(value),
        CelKind.Duration => Times.Text(value.AsNanoseconds()),
        _ => null,
    };

    /// <summary>The shortest digits that read back as the same double; exponents as in 1e+30.</summary>
    public static string Text(double number)
    {
        if (double.IsNaN(number)) return "NaN";
        if (double.IsInfinity(number)) return number > 0 ? "Infinity" : "-Infinity";
        return number.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
    }

    public static CelValue Decode(ref Meter meter, byte[] bytes)
    {
        try
        {
            return bytes.Length > meter.BuiltMax ? Errors.TooLarge : meter.Built(Utf8.GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            return Errors.NotUtf8;
        }
    }

    public static CelValue ToBytes(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Bytes => arguments[0],
        CelKind.String => meter.Built(CelValue.FromBytes(Encoding.UTF8.GetBytes(arguments[0].AsString()))),
        _ => Errors.NoOverload,
    };

    public static CelValue Encode64(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Bytes ? meter.Built(Convert.ToBase64String(arguments[0].AsBytes())) : Errors.NoOverload;

    public static CelValue Decode64(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text) return Errors.NoOverload;
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var buffer = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, buffer, out var length) ? meter.Built(CelValue.FromBytes(buffer[..length])) : Errors.NotBase64;
    }

    public static CelValue TypeOf(ref Meter meter, ReadOnlySpan<CelValue> arguments) => CelValue.FromType(arguments[0].Kind switch
    {
        CelKind.Null => CelType.Null,
        CelKind.Bool => CelType.Bool,
        CelKind.Int => CelType.Int,
        CelKind.Uint => CelType.Uint,
        CelKind.Double => CelType.Double,
        CelKind.String => CelType.String,
        CelKind.Bytes => CelType.Bytes,
        CelKind.List => CelType.List(CelType.Dyn),
        CelKind.Map => CelType.Map(CelType.Dyn),
        CelKind.Duration => CelType.Duration,
        CelKind.Timestamp => CelType.Timestamp,
        CelKind.Optional => CelType.Optional(CelType.Dyn),
        _ => CelType.Type,
    });

    public static CelValue Same(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0];
}
