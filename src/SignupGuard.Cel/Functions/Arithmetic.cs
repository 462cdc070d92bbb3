using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Functions;

/// <summary>The operators over values of any kind. Overflow, division by zero and wrong kinds are error values.</summary>
internal static class Arithmetic
{
    public static CelValue Apply(ref Meter meter, Operator symbol, in CelValue left, in CelValue right)
    {
        if (left.IsError) return left;
        if (right.IsError) return right;
        return (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Ints(symbol, left.AsInt(), right.AsInt()),
            (CelKind.Uint, CelKind.Uint) => Uints(symbol, left.AsUint(), right.AsUint()),
            (CelKind.Double, CelKind.Double) => Doubles(symbol, left.AsDouble(), right.AsDouble()),
            (CelKind.String, CelKind.String) when symbol == Operator.Add => Concat(ref meter, left.AsString(), right.AsString()),
            (CelKind.Bytes, CelKind.Bytes) when symbol == Operator.Add => Concat(ref meter, left.AsBytes(), right.AsBytes()),
            (CelKind.List, CelKind.List) when symbol == Operator.Add => Concat(ref meter, left, right),
            _ => Times.Apply(symbol, left, right),
        };
    }

    public static CelValue Ints(Operator symbol, long left, long right)
    {
        switch (symbol)
        {
            case Operator.Add:
                return Math.Sign(left) == Math.Sign(right) && Math.Sign(unchecked(left + right)) != Math.Sign(left) && left != 0
                    ? Errors.Overflow
                    : CelValue.From(unchecked(left + right));
            case Operator.Subtract:
                var difference = unchecked(left - right);
                return ((left ^ right) & (left ^ difference)) < 0 ? Errors.Overflow : CelValue.From(difference);
            case Operator.Multiply:
                var high = Math.BigMul(left, right, out var low);
                return high == low >> 63 ? CelValue.From(low) : Errors.Overflow;
            case Operator.Divide:
                return right == 0 ? Errors.DivideByZero : left == long.MinValue && right == -1 ? Errors.Overflow : CelValue.From(left / right);
            case Operator.Modulo:
                return right == 0 ? Errors.DivideByZero : CelValue.From(right == -1 ? 0 : left % right);
            default:
                return Errors.NoOverload;
        }
    }

    private static CelValue Uints(Operator symbol, ulong left, ulong right)
    {
        switch (symbol)
        {
            case Operator.Add:
                return left > ulong.MaxValue - right ? Errors.Overflow : CelValue.From(left + right);
            case Operator.Subtract:
                return right > left ? Errors.Overflow : CelValue.From(left - right);
            case Operator.Multiply:
                return Math.BigMul(left, right, out var low) == 0 ? CelValue.From(low) : Errors.Overflow;
            case Operator.Divide:
                return right == 0 ? Errors.DivideByZero : CelValue.From(left / right);
            case Operator.Modulo:
                return right == 0 ? Errors.DivideByZero : CelValue.From(left % right);
            default:
                return Errors.NoOverload;
        }
    }

    public static CelValue Doubles(Operator symbol, double left, double right) => symbol switch
    {
        Operator.Add => CelValue.From(left + right),
        Operator.Subtract => CelValue.From(left - right),
        Operator.Multiply => CelValue.From(left * right),
        Operator.Divide => CelValue.From(left / right),
        _ => Errors.NoOverload,
    };

    private static CelValue Concat(ref Meter meter, string left, string right) =>
        left.Length + right.Length > meter.BuiltMax ? Errors.TooLarge : meter.Built(left + right);

    private static CelValue Concat(ref Meter meter, byte[] left, byte[] right) =>
        left.Length + right.Length > meter.BuiltMax ? Errors.TooLarge : meter.Built(CelValue.FromBytes([.. left, .. right]));

    private static CelValue Concat(ref Meter meter, in CelValue left, in CelValue right)
    {
        if ((long)left.Weight + right.Weight > meter.BuiltMax) return Errors.TooLarge;
        CelValue[] items = [.. left.AsList(), .. right.AsList()];
        return meter.Built(CelValue.From(items));
    }

    public static CelValue Negate(in CelValue value) => value.Kind switch
    {
        CelKind.Error => value,
        CelKind.Int => value.AsInt() == long.MinValue ? Errors.Overflow : CelValue.From(-value.AsInt()),
        CelKind.Double => CelValue.From(-value.AsDouble()),
        _ => Errors.NoOverload,
    };

    public static CelValue Compare(ref Meter meter, Operator symbol, in CelValue left, in CelValue right)
    {
        if (left.IsError) return left;
        if (right.IsError) return right;
        if (!meter.Spend(Math.Min(left.Weight, right.Weight))) return Errors.TooMuchWork;
        if (symbol == Operator.Equal) return CelValue.From(left.Equals(right));
        if (symbol == Operator.NotEqual) return CelValue.From(!left.Equals(right));
        var order = CelValue.Order(left, right);
        return order == CelValue.NoOrder ? Errors.NoOverload : CelValue.From(order != CelValue.Unordered && Holds(symbol, order));
    }

    /// <summary>Whether a relation holds between values whose order is -1, 0 or 1.</summary>
    public static bool Holds(Operator symbol, int order) => symbol switch
    {
        Operator.Less => order < 0,
        Operator.LessOrEqual => order <= 0,
        Operator.Greater => order > 0,
        Operator.GreaterOrEqual => order >= 0,
        Operator.Equal => order == 0,
        _ => order != 0,
    };

    public static CelValue In(ref Meter meter, in CelValue item, in CelValue container)
    {
        if (item.IsError) return item;
        switch (container.Kind)
        {
            case CelKind.Error:
                return container;
            case CelKind.List:
                if (!meter.Spend(container.Weight)) return Errors.TooMuchWork;
                var list = container.AsList();
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i].Equals(item)) return CelValue.True;
                }
                return CelValue.False;
            case CelKind.Map:
                return CelValue.From(container.TryGet(item, out _));
            default:
                return Errors.NoOverload;
        }
    }
}
