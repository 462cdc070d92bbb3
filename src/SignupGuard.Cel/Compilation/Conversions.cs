using System.Globalization;

namespace SignupGuard.Cel.Compilation;

/// <summary>CEL's conversion functions; what does not fit is an error value.</summary>
internal static class Conversions
{
    private static readonly CelValue NotANumber = CelValue.Error("not a number");
    private static readonly CelValue OutOfRange = CelValue.Error("out of range");

    public static CelValue ToInt(in CelValue value) => value.Kind switch
    {
        CelKind.Int => value,
        CelKind.Double => value.AsDouble() is > -9.2233720368547758e18 and < 9.2233720368547758e18 and var number ? CelValue.From((long)number) : OutOfRange,
        CelKind.String => long.TryParse(value.AsString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? CelValue.From(parsed) : NotANumber,
        CelKind.Timestamp => CelValue.From(value.AsTimestamp().ToUnixTimeSeconds()),
        _ => Operations.NoOverload,
    };

    public static CelValue ToDouble(in CelValue value) => value.Kind switch
    {
        CelKind.Int or CelKind.Double => CelValue.From(value.AsDouble()),
        CelKind.String => double.TryParse(value.AsString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? CelValue.From(parsed) : NotANumber,
        _ => Operations.NoOverload,
    };

    public static CelValue ToText(in CelValue value) => value.Kind switch
    {
        CelKind.String => value,
        CelKind.Bool or CelKind.Int or CelKind.Double or CelKind.Duration => CelValue.From(value.ToString()),
        CelKind.Timestamp => CelValue.From(value.AsTimestamp().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)),
        _ => Operations.NoOverload,
    };

    public static CelValue ToBool(in CelValue value) => value.Kind switch
    {
        CelKind.Bool => value,
        CelKind.String => value.AsString() switch
        {
            "true" or "True" or "TRUE" or "t" or "1" => CelValue.True,
            "false" or "False" or "FALSE" or "f" or "0" => CelValue.False,
            _ => CelValue.Error("not a bool"),
        },
        _ => Operations.NoOverload,
    };
}
