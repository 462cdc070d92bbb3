using System.Collections.Frozen;
using SignupGuard.Cel.Functions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>A relation as a type, so that the just-in-time compiler makes one piece of code of each with no branch on the operator.</summary>
internal interface IRelation
{
    static abstract bool Holds(long left, long right);

    static abstract bool Holds(double left, double right);
}

internal readonly struct Equal : IRelation
{
    public static bool Holds(long left, long right) => left == right;

    public static bool Holds(double left, double right) => left == right;
}

internal readonly struct NotEqual : IRelation
{
    public static bool Holds(long left, long right) => left != right;

    public static bool Holds(double left, double right) => left != right;
}

internal readonly struct Less : IRelation
{
    public static bool Holds(long left, long right) => left < right;

    public static bool Holds(double left, double right) => left < right;
}

internal readonly struct LessOrEqual : IRelation
{
    public static bool Holds(long left, long right) => left <= right;

    public static bool Holds(double left, double right) => left <= right;
}

internal readonly struct Greater : IRelation
{
    public static bool Holds(long left, long right) => left > right;

    public static bool Holds(double left, double right) => left > right;
}

internal readonly struct GreaterOrEqual : IRelation
{
    public static bool Holds(long left, long right) => left >= right;

    public static bool Holds(double left, double right) => left >= right;
}

/// <summary>Comparisons made for the static types of their sides: numbers and texts neither box nor look at the operator.</summary>
internal static class Comparison<TFacts>
{
    public static Node<TFacts> Of(Operator symbol, Code<TFacts> left, Code<TFacts> right)
    {
        if (left.Constant is not null && right.Constant is null) (symbol, left, right) = (Mirrored(symbol), right, left);
        if (right.Constant is { IsNumber: true } constant && left.Type.Kind != right.Type.Kind && Exact(constant, left.Type.Kind) is { } exact)
            right = right with { Type = left.Type, Constant = exact, Run = (ref Frame<TFacts> _) => exact };
        return symbol switch
        {
            Operator.Equal => Of<Equal>(symbol, left, right),
            Operator.NotEqual => Of<NotEqual>(symbol, left, right),
            Operator.Less => Of<Less>(symbol, left, right),
            Operator.LessOrEqual => Of<LessOrEqual>(symbol, left, right),
            Operator.Greater => Of<Greater>(symbol, left, right),
            _ => Of<GreaterOrEqual>(symbol, left, right),
        };
    }

    private static Operator Mirrored(Operator symbol) => symbol switch
    {
        Operator.Less => Operator.Greater,
        Operator.LessOrEqual => Operator.GreaterOrEqual,
        Operator.Greater => Operator.Less,
        Operator.GreaterOrEqual => Operator.LessOrEqual,
        _ => symbol,
    };

    /// <summary>The number in the other side's kind, where that changes nothing: <c>ratio &gt; 8</c> is <c>ratio &gt; 8.0</c>.</summary>
    private static CelValue? Exact(CelValue number, CelKind kind)
    {
        const double ExactMax = 1L << 53;
        return (kind, number.Kind) switch
        {
            (CelKind.Double, CelKind.Int or CelKind.Uint) => CelValue.From(number.AsDouble()),
            (CelKind.Int, CelKind.Double) when Math.Abs(number.AsDouble()) < ExactMax && Math.Truncate(number.AsDouble()) == number.AsDouble() => CelValue.From((long)number.AsDouble()),
            (CelKind.Int, CelKind.Uint) when number.AsUint() <= long.MaxValue => CelValue.From((long)number.AsUint()),
            _ => null,
        };
    }

    private static Node<TFacts> Of<TRelation>(Operator symbol, Code<TFacts> left, Code<TFacts> right)
        where TRelation : struct, IRelation
    {
        var isEquality = symbol is Operator.Equal or Operator.NotEqual;
        return (left.Type.Kind, right.Type.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Ints<TRelation>(left, right),
            (CelKind.Double, CelKind.Double) => Doubles<TRelation>(left, right),
            (CelKind.String, CelKind.String) when isEquality => Texts(left, right, symbol == Operator.Equal),
            _ => Any(symbol, left.Run, right.Run),
        };
    }

    private static Node<TFacts> Ints<TRelation>(Code<TFacts> left, Code<TFacts> right)
        where TRelation : struct, IRelation
    {
        if (right.Constant is { Kind: CelKind.Int } known)
        {
            var constant = known.AsInt();
            if (left.Read is { } read)
            {
                return (ref Frame<TFacts> frame) =>
                {
                    var value = read(frame.Facts);
                    return value.IsBits(CelKind.Int, out var bits) ? CelValue.From(TRelation.Holds(bits, constant)) : Wrong(value);
                };
            }
            var run = left.Run;
            return (ref Frame<TFacts> frame) =>
            {
                var value = run(ref frame);
                return value.IsBits(CelKind.Int, out var bits) ? CelValue.From(TRelation.Holds(bits, constant)) : Wrong(value);
            };
        }
        var (x, y) = (left.Run, right.Run);
        return (ref Frame<TFacts> frame) =>
        {
            var first = x(ref frame);
            if (!first.IsBits(CelKind.Int, out var one)) return Wrong(first);
            var second = y(ref frame);
            return second.IsBits(CelKind.Int, out var two) ? CelValue.From(TRelation.Holds(one, two)) : Wrong(second);
        };
    }

    private static Node<TFacts> Doubles<TRelation>(Code<TFacts> left, Code<TFacts> right)
        where TRelation : struct, IRelation
    {
        if (right.Constant is { Kind: CelKind.Double } known)
        {
            var constant = known.AsDouble();
            if (left.Read is { } read)
            {
                return (ref Frame<TFacts> frame) =>
                {
                    var value = read(frame.Facts);
                    return value.IsBits(CelKind.Double, out var bits) ? CelValue.From(TRelation.Holds(BitConverter.Int64BitsToDouble(bits), constant)) : Wrong(value);
                };
            }
            var run = left.Run;
            return (ref Frame<TFacts> frame) =>
            {
                var value = run(ref frame);
                return value.IsBits(CelKind.Double, out var bits) ? CelValue.From(TRelation.Holds(BitConverter.Int64BitsToDouble(bits), constant)) : Wrong(value);
            };
        }
        var (x, y) = (left.Run, right.Run);
        return (ref Frame<TFacts> frame) =>
        {
            var first = x(ref frame);
            if (!first.IsBits(CelKind.Double, out var one)) return Wrong(first);
            var second = y(ref frame);
            return second.IsBits(CelKind.Double, out var two)
                ? CelValue.From(TRelation.Holds(BitConverter.Int64BitsToDouble(one), BitConverter.Int64BitsToDouble(two)))
                : Wrong(second);
        };
    }

    private static Node<TFacts> Texts(Code<TFacts> left, Code<TFacts> right, bool wanted)
    {
        var x = left.Run;
        if (right.Constant is { Kind: CelKind.String } known)
        {
            var constant = known.AsString();
            return (ref Frame<TFacts> frame) =>
            {
                var value = x(ref frame);
                return value.Text is { } text ? CelValue.From(string.Equals(text, constant, StringComparison.Ordinal) == wanted) : Wrong(value);
            };
        }
        var y = right.Run;
        return (ref Frame<TFacts> frame) =>
        {
            var first = x(ref frame);
            if (first.Text is not { } one) return Wrong(first);
            var second = y(ref frame);
            if (second.Text is not { } two) return Wrong(second);
            return frame.Meter.Spend(1 + Math.Min(one.Length, two.Length)) ? CelValue.From(string.Equals(one, two, StringComparison.Ordinal) == wanted) : Errors.TooMuchWork;
        };
    }

    private static Node<TFacts> Any(Operator symbol, Node<TFacts> x, Node<TFacts> y) => (ref Frame<TFacts> frame) =>
    {
        var left = x(ref frame);
        return left.IsError ? left : Arithmetic.Compare(ref frame.Meter, symbol, left, y(ref frame));
    };

    /// <summary><c>item in [constants]</c> by one look-up.</summary>
    public static Node<TFacts> InConstants(Code<TFacts> item, IReadOnlyList<CelValue> constants)
    {
        var run = item.Run;
        if (item.Type.Kind == CelKind.String && constants.All(constant => constant.Kind == CelKind.String))
        {
            var texts = constants.Select(constant => constant.AsString()).ToFrozenSet(StringComparer.Ordinal);
            return (ref Frame<TFacts> frame) =>
            {
                var value = run(ref frame);
                return value.Text is { } text ? CelValue.From(texts.Contains(text)) : Wrong(value);
            };
        }
        if (item.Type.Kind == CelKind.Int && constants.All(constant => constant.Kind == CelKind.Int))
        {
            var numbers = constants.Select(constant => constant.AsInt()).ToFrozenSet();
            return (ref Frame<TFacts> frame) =>
            {
                var value = run(ref frame);
                return value.IsBits(CelKind.Int, out var bits) ? CelValue.From(numbers.Contains(bits)) : Wrong(value);
            };
        }
        var values = constants.ToFrozenSet();
        return (ref Frame<TFacts> frame) =>
        {
            var value = run(ref frame);
            if (value.IsError) return value;
            return frame.Meter.Spend(value.Weight) ? CelValue.From(values.Contains(value)) : Errors.TooMuchWork;
        };
    }

    private static CelValue Wrong(in CelValue value) => value.IsError ? value : Errors.NoOverload;
}
