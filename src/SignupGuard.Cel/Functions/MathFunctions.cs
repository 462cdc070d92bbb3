namespace SignupGuard.Cel.Functions;

/// <summary>CEL's math extension.</summary>
internal static class MathFunctions
{
    public static CelValue Greatest(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Extreme(ref meter, arguments, 1);

    public static CelValue Least(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Extreme(ref meter, arguments, -1);

    /// <summary>Of equal numbers the first; NaN is never chosen over a number.</summary>
    private static CelValue Extreme(ref Meter meter, ReadOnlySpan<CelValue> arguments, int sign)
    {
        if (arguments is [{ Kind: CelKind.List } list])
        {
            if (list.Count == 0) return Errors.NoOverload;
            if (!meter.Spend(list.Weight)) return Errors.TooMuchWork;
            var items = list.AsList();
            var chosen = items[0];
            for (var i = 0; i < items.Count; i++)
            {
                if (!items[i].IsNumber) return Errors.NoOverload;
                if (CelValue.Order(items[i], chosen) == sign) chosen = items[i];
            }
            return chosen;
        }
        var best = arguments[0];
        foreach (var item in arguments)
        {
            if (!item.IsNumber) return Errors.NoOverload;
            if (CelValue.Order(item, best) == sign) best = item;
        }
        return best;
    }

    private static CelValue OfDouble(ReadOnlySpan<CelValue> arguments, Func<double, double> apply) =>
        arguments[0].Kind == CelKind.Double ? CelValue.From(apply(arguments[0].AsDouble())) : Errors.NoOverload;

    public static CelValue Ceil(ref Meter meter, ReadOnlySpan<CelValue> arguments) => OfDouble(arguments, Math.Ceiling);

    public static CelValue Floor(ref Meter meter, ReadOnlySpan<CelValue> arguments) => OfDouble(arguments, Math.Floor);

    public static CelValue Round(ref Meter meter, ReadOnlySpan<CelValue> arguments) => OfDouble(arguments, static x => Math.Round(x, MidpointRounding.AwayFromZero));

    public static CelValue Trunc(ref Meter meter, ReadOnlySpan<CelValue> arguments) => OfDouble(arguments, Math.Truncate);

    public static CelValue Sqrt(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].IsNumber ? CelValue.From(Math.Sqrt(arguments[0].AsDouble())) : Errors.NoOverload;

    public static CelValue IsNaN(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Double ? CelValue.From(double.IsNaN(arguments[0].AsDouble())) : Errors.NoOverload;

    public static CelValue IsInf(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Double ? CelValue.From(double.IsInfinity(arguments[0].AsDouble())) : Errors.NoOverload;

    public static CelValue IsFinite(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Double ? CelValue.From(double.IsFinite(arguments[0].AsDouble())) : Errors.NoOverload;

    public static CelValue Abs(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Int => arguments[0].AsInt() == long.MinValue ? Errors.Overflow : CelValue.From(Math.Abs(arguments[0].AsInt())),
        CelKind.Uint => arguments[0],
        CelKind.Double => CelValue.From(Math.Abs(arguments[0].AsDouble())),
        _ => Errors.NoOverload,
    };

    public static CelValue Sign(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Int => CelValue.From((long)Math.Sign(arguments[0].AsInt())),
        CelKind.Uint => CelValue.From(arguments[0].AsUint() == 0 ? 0UL : 1UL),
        CelKind.Double => double.IsNaN(arguments[0].AsDouble()) ? arguments[0] : CelValue.From((double)Math.Sign(arguments[0].AsDouble())),
        _ => Errors.NoOverload,
    };

    private static CelValue Bits(ReadOnlySpan<CelValue> arguments, Func<ulong, ulong, ulong> apply) => (arguments[0].Kind, arguments[1].Kind) switch
    {
        (CelKind.Int, CelKind.Int) => CelValue.From(unchecked((long)apply((ulong)arguments[0].AsInt(), (ulong)arguments[1].AsInt()))),
        (CelKind.Uint, CelKind.Uint) => CelValue.From(apply(arguments[0].AsUint(), arguments[1].AsUint())),
        _ => Errors.NoOverload,
    };

    public static CelValue And(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Bits(arguments, static (x, y) => x & y);

    public static CelValue Or(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Bits(arguments, static (x, y) => x | y);

    public static CelValue Xor(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Bits(arguments, static (x, y) => x ^ y);

    public static CelValue Not(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Int => CelValue.From(~arguments[0].AsInt()),
        CelKind.Uint => CelValue.From(~arguments[0].AsUint()),
        _ => Errors.NoOverload,
    };

    public static CelValue ShiftLeft(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Shift(arguments, static (x, by) => x << by);

    /// <summary>Logical: zeros come in from the left, for int too.</summary>
    public static CelValue ShiftRight(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Shift(arguments, static (x, by) => x >> by);

    private static CelValue Shift(ReadOnlySpan<CelValue> arguments, Func<ulong, int, ulong> apply)
    {
        const int Bits = 64;
        if (arguments[0].Kind is not (CelKind.Int or CelKind.Uint) || !arguments[1].IsBits(CelKind.Int, out var by)) return Errors.NoOverload;
        if (by < 0) return Errors.NegativeShift;
        if (arguments[0].Kind == CelKind.Int) return CelValue.From(by >= Bits ? 0 : unchecked((long)apply((ulong)arguments[0].AsInt(), (int)by)));
        return CelValue.From(by >= Bits ? 0UL : apply(arguments[0].AsUint(), (int)by));
    }
}
