namespace SignupGuard.Cel.Functions;

/// <summary>Indexes, fields and sizes of lists, maps and optionals.</summary>
internal static class Containers
{
    /// <summary><c>operand[index]</c>. What an optional holds is indexed through, and gives an optional.</summary>
    public static CelValue Index(in CelValue operand, in CelValue index)
    {
        if (operand.IsError) return operand;
        if (index.IsError) return index;
        switch (operand.Kind)
        {
            case CelKind.List:
                return Item(operand.AsList(), index);
            case CelKind.Map:
                return operand.TryGet(index, out var value) ? value : Errors.NoSuchKey;
            case CelKind.Optional:
                return operand.TryHeld(out var held) ? OptionalIndex(held, index) : operand;
            default:
                return Errors.NoOverload;
        }
    }

    /// <summary><c>operand[?index]</c>: none where <c>[index]</c> finds nothing.</summary>
    public static CelValue OptionalIndex(in CelValue operand, in CelValue index)
    {
        if (operand.IsError) return operand;
        if (index.IsError) return index;
        switch (operand.Kind)
        {
            case CelKind.List:
                var item = Item(operand.AsList(), index);
                return item.IsError ? item == Errors.IndexOutOfRange ? CelValue.None : item : CelValue.Some(item);
            case CelKind.Map:
                return operand.TryGet(index, out var value) ? CelValue.Some(value) : CelValue.None;
            case CelKind.Optional:
                return operand.TryHeld(out var held) ? OptionalIndex(held, index) : operand;
            default:
                return Errors.NoOverload;
        }
    }

    private static CelValue Item(IReadOnlyList<CelValue> list, in CelValue index)
    {
        if (!index.IsNumber) return Errors.NotIndex;
        var number = index.Kind == CelKind.Int ? index.AsInt() : index.AsDouble();
        if (number != Math.Truncate(number)) return Errors.NotIndex;
        return number >= 0 && number < list.Count ? list[(int)number] : Errors.IndexOutOfRange;
    }

    /// <summary><c>operand.field</c>.</summary>
    /// <param name="absent">What an absent key gives.</param>
    public static CelValue Select(in CelValue operand, string field, in CelValue absent) => operand.Kind switch
    {
        CelKind.Error => operand,
        CelKind.Map => operand.TryGet(field, out var value) ? value : absent,
        CelKind.Optional => OptionalSelect(operand, field),
        _ => Errors.NoOverload,
    };

    /// <summary><c>operand.?field</c>.</summary>
    public static CelValue OptionalSelect(in CelValue operand, string field) => operand.Kind switch
    {
        CelKind.Error => operand,
        CelKind.Map => operand.TryGet(field, out var value) ? CelValue.Some(value) : CelValue.None,
        CelKind.Optional => operand.TryHeld(out var held) ? OptionalSelect(held, field) : operand,
        _ => Errors.NoSuchKey,
    };

    /// <summary><c>has(operand.field)</c>: false also where the operand itself is missing.</summary>
    public static CelValue Has(in CelValue operand, string field) => operand.Kind switch
    {
        CelKind.Error => operand.IsMissing ? CelValue.False : operand,
        CelKind.Map => CelValue.From(operand.TryGet(field, out var value) && !value.IsMissing),
        CelKind.Optional => operand.TryHeld(out var held) ? Has(held, field) : CelValue.False,
        _ => Errors.NoOverload,
    };

    public static CelValue Size(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.String => meter.Spend(arguments[0].Weight) ? CelValue.From((long)CodePoints.Count(arguments[0].AsString())) : Errors.TooMuchWork,
        CelKind.Bytes => CelValue.From((long)arguments[0].AsBytes().Length),
        CelKind.List or CelKind.Map => CelValue.From((long)arguments[0].Count),
        _ => Errors.NoOverload,
    };

    public static bool IsKey(in CelValue value) => value.Kind is CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.String;

    /// <summary>False for null, false, 0, empty text, lists and maps: what <c>optional.ofNonZeroValue</c> asks.</summary>
    public static bool IsNonZero(in CelValue value) => value.Kind switch
    {
        CelKind.Null => false,
        CelKind.Bool => value.IsTrue,
        CelKind.Int or CelKind.Uint or CelKind.Double => value.AsDouble() != 0,
        CelKind.String => value.AsString().Length > 0,
        CelKind.Bytes => value.AsBytes().Length > 0,
        CelKind.List or CelKind.Map => value.Count > 0,
        CelKind.Duration => value.AsNanoseconds() != 0,
        CelKind.Timestamp => value.AsUnix() != (0, 0),
        CelKind.Optional => value.TryHeld(out _),
        _ => true,
    };

    public static CelValue Some(ref Meter meter, ReadOnlySpan<CelValue> arguments) => CelValue.Some(arguments[0]);

    public static CelValue SomeNonZero(ref Meter meter, ReadOnlySpan<CelValue> arguments) => IsNonZero(arguments[0]) ? CelValue.Some(arguments[0]) : CelValue.None;

    public static CelValue None(ref Meter meter, ReadOnlySpan<CelValue> arguments) => CelValue.None;

    public static CelValue HasValue(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Optional ? CelValue.From(arguments[0].TryHeld(out _)) : Errors.NoOverload;

    public static CelValue Value(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        arguments[0].Kind == CelKind.Optional ? arguments[0].TryHeld(out var held) ? held : Errors.NoValue : Errors.NoOverload;
}
