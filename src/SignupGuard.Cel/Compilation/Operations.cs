using System.Globalization;

namespace SignupGuard.Cel.Compilation;

/// <summary>The operators over values. Overflow, division by zero and wrong kinds are error values.</summary>
internal static class Operations
{
    public static readonly CelValue NoOverload = CelValue.Error("no such overload");
    private static readonly CelValue Overflow = CelValue.Error("integer overflow");
    private static readonly CelValue DivideByZero = CelValue.Error("division by zero");
    private static readonly CelValue OutOfRange = CelValue.Error("out of range");

    private static readonly System.Buffers.SearchValues<char> NumberCharacters = System.Buffers.SearchValues.Create("0123456789.");

    /// <summary>The longest string or list an operator may build: a rule never needs more, and hostile ones stop here.</summary>
    private const int BuiltLengthMax = 65_536;

    public static CelValue Arithmetic(char symbol, in CelValue left, in CelValue right)
    {
        if (left.IsError) return left;
        if (right.IsError) return right;
        if (left.Kind == CelKind.Int && right.Kind == CelKind.Int) return Integers(symbol, left.AsInt(), right.AsInt());
        if (left.Kind == CelKind.Double && right.Kind == CelKind.Double) return Doubles(symbol, left.AsDouble(), right.AsDouble());
        return (symbol, left.Kind, right.Kind) switch
        {
            ('+', CelKind.String, CelKind.String) => left.AsString().Length + right.AsString().Length <= BuiltLengthMax
                ? CelValue.From(left.AsString() + right.AsString())
                : OutOfRange,
            ('+', CelKind.List, CelKind.List) => left.AsList().Count + right.AsList().Count <= BuiltLengthMax
                ? CelValue.From([.. left.AsList(), .. right.AsList()])
                : OutOfRange,
            ('+', CelKind.Duration, CelKind.Duration) => Ticks(left.AsDuration().Ticks, right.AsDuration().Ticks),
            ('-', CelKind.Duration, CelKind.Duration) => Ticks(left.AsDuration().Ticks, -right.AsDuration().Ticks),
            ('+', CelKind.Timestamp, CelKind.Duration) => Shift(left.AsTimestamp(), right.AsDuration().Ticks),
            ('+', CelKind.Duration, CelKind.Timestamp) => Shift(right.AsTimestamp(), left.AsDuration().Ticks),
            ('-', CelKind.Timestamp, CelKind.Duration) => Shift(left.AsTimestamp(), -right.AsDuration().Ticks),
            ('-', CelKind.Timestamp, CelKind.Timestamp) => CelValue.From(left.AsTimestamp() - right.AsTimestamp()),
            _ => NoOverload,
        };
    }

    public static CelValue Negate(in CelValue value) => value.Kind switch
    {
        CelKind.Error => value,
        CelKind.Int => value.AsInt() == long.MinValue ? Overflow : CelValue.From(-value.AsInt()),
        CelKind.Double => CelValue.From(-value.AsDouble()),
        _ => NoOverload,
    };

    public static CelValue Compare(string symbol, in CelValue left, in CelValue right)
    {
        if (left.IsError) return left;
        if (right.IsError) return right;
        if (symbol == "==") return CelValue.From(left.Equals(right));
        if (symbol == "!=") return CelValue.From(!left.Equals(right));
        if (CelValue.Compare(left, right) is not { } order)
            return left.IsNumber && right.IsNumber ? CelValue.False : NoOverload;
        return CelValue.From(symbol switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 });
    }

    public static CelValue In(in CelValue item, in CelValue container)
    {
        if (item.IsError) return item;
        switch (container.Kind)
        {
            case CelKind.Error:
                return container;
            case CelKind.List:
                var list = container.AsList();
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i].Equals(item)) return CelValue.True;
                }
                return CelValue.False;
            case CelKind.Map:
                return CelValue.From(item.Kind == CelKind.String && container.AsMap().ContainsKey(item.AsString()));
            default:
                return NoOverload;
        }
    }

    public static CelValue Index(in CelValue operand, in CelValue index)
    {
        if (operand.IsError) return operand;
        if (index.IsError) return index;
        if (operand.Kind == CelKind.List && index.Kind == CelKind.Int)
        {
            var (list, at) = (operand.AsList(), index.AsInt());
            return at >= 0 && at < list.Count ? list[(int)at] : CelValue.Error("index out of bounds");
        }
        if (operand.Kind == CelKind.Map && index.Kind == CelKind.String) return Select(operand, index.AsString());
        return NoOverload;
    }

    public static CelValue Select(in CelValue operand, string field) => operand.Kind switch
    {
        CelKind.Error => operand,
        CelKind.Map => operand.AsMap().TryGetValue(field, out var value) ? value : CelValue.Missing(field),
        _ => NoOverload,
    };

    public static CelValue Size(in CelValue value) => value.Kind switch
    {
        CelKind.Error => value,
        CelKind.String => CelValue.From((long)CodePoints(value.AsString())),
        CelKind.List => CelValue.From((long)value.AsList().Count),
        CelKind.Map => CelValue.From((long)value.AsMap().Count),
        _ => NoOverload,
    };

    /// <summary>Reads "1h30m", "-2.5s", "100ms" (CEL's form; units h, m, s, ms, us, ns).</summary>
    public static CelValue ParseDuration(string text)
    {
        var invalid = CelValue.Error("not a duration");
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+")) rest = rest[1..];
        if (rest.IsEmpty) return invalid;
        if (rest is "0") return CelValue.From(TimeSpan.Zero);
        var ticks = 0m;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || digits > 24 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)) return invalid;
            rest = rest[digits..];
            var next = rest.IndexOfAnyInRange('0', '9');
            var unit = next < 0 ? rest : rest[..next];
            decimal? scale = unit switch
            {
                "h" => TimeSpan.TicksPerHour,
                "m" => TimeSpan.TicksPerMinute,
                "s" => TimeSpan.TicksPerSecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "us" => TimeSpan.TicksPerMicrosecond,
                "ns" => 0.01m,
                _ => null,
            };
            if (scale is null || amount > 1e12m) return invalid;
            ticks += amount * scale.Value;
            rest = rest[unit.Length..];
        }
        return ticks > long.MaxValue ? OutOfRange : CelValue.From(new TimeSpan((long)(negative ? -ticks : ticks)));
    }

    public static CelValue ParseTimestamp(string text) =>
        DateTimeOffset.TryParseExact(
            text,
            ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var value)
            ? CelValue.From(value)
            : CelValue.Error("not a timestamp");

    private static int CodePoints(string text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i])) count--;
        }
        return count;
    }

    private static CelValue Integers(char symbol, long left, long right)
    {
        try
        {
            return symbol switch
            {
                '+' => CelValue.From(checked(left + right)),
                '-' => CelValue.From(checked(left - right)),
                '*' => CelValue.From(checked(left * right)),
                '/' => right == 0 ? DivideByZero : left == long.MinValue && right == -1 ? Overflow : CelValue.From(left / right),
                _ => right == 0 ? DivideByZero : right == -1 ? CelValue.From(0L) : CelValue.From(left % right),
            };
        }
        catch (OverflowException)
        {
            return Overflow;
        }
    }

    private static CelValue Doubles(char symbol, double left, double right) => symbol switch
    {
        '+' => CelValue.From(left + right),
        '-' => CelValue.From(left - right),
        '*' => CelValue.From(left * right),
        '/' => CelValue.From(left / right),
        _ => NoOverload,
    };

    private static CelValue Ticks(long left, long right)
    {
        var sum = (Int128)left + right;
        return sum > long.MaxValue || sum < long.MinValue ? OutOfRange : CelValue.From(new TimeSpan((long)sum));
    }

    private static CelValue Shift(DateTimeOffset time, long ticks)
    {
        var shifted = (Int128)time.UtcTicks + ticks;
        return shifted < 0 || shifted > DateTimeOffset.MaxValue.UtcTicks ? OutOfRange : CelValue.From(new DateTimeOffset((long)shifted, TimeSpan.Zero));
    }
}
