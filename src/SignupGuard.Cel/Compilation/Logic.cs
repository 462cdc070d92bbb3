using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel.Compilation;

/// <summary>
/// <c>&amp;&amp;</c>, <c>||</c>, <c>!</c> and <c>?:</c>. A deciding side absorbs errors and missing facts of the others, whatever their order;
/// where none decides the first error is the result.
/// </summary>
internal static class Logic<TFacts>
{
    public static Node<TFacts> And(Node<TFacts> first, Node<TFacts> second) => (ref Frame<TFacts> frame) =>
    {
        var left = first(ref frame);
        if (left.IsFalse) return left;
        var right = second(ref frame);
        if (right.IsFalse || (left.IsTrue && right.IsTrue)) return right;
        return Undecided(left, right);
    };

    public static Node<TFacts> Or(Node<TFacts> first, Node<TFacts> second) => (ref Frame<TFacts> frame) =>
    {
        var left = first(ref frame);
        if (left.IsTrue) return left;
        var right = second(ref frame);
        if (right.IsTrue || (left.IsFalse && right.IsFalse)) return right;
        return Undecided(left, right);
    };

    private static CelValue Undecided(in CelValue left, in CelValue right) => left.IsError ? left : right.IsError ? right : Errors.NoOverload;

    public static Node<TFacts> Chain(Node<TFacts>[] operands, bool isOr) => (ref Frame<TFacts> frame) =>
    {
        var result = CelValue.From(!isOr);
        foreach (var operand in operands)
        {
            var value = operand(ref frame);
            if (value.Kind != CelKind.Bool)
            {
                if (!result.IsError) result = value.IsError ? value : Errors.NoOverload;
            }
            else if (value.IsTrue == isOr)
            {
                return value;
            }
        }
        return result;
    };

    public static Node<TFacts> Not(Node<TFacts> operand) => (ref Frame<TFacts> frame) =>
    {
        var value = operand(ref frame);
        return value.Kind == CelKind.Bool ? CelValue.From(!value.IsTrue) : value.IsError ? value : Errors.NoOverload;
    };

    public static Node<TFacts> Conditional(Node<TFacts> condition, Node<TFacts> then, Node<TFacts> otherwise) => (ref Frame<TFacts> frame) =>
    {
        var value = condition(ref frame);
        if (value.IsTrue) return then(ref frame);
        if (value.IsFalse) return otherwise(ref frame);
        return value.IsError ? value : Errors.NoOverload;
    };
}
