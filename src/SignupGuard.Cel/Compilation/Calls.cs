using System.Runtime.CompilerServices;
using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel.Compilation;

/// <summary>Arguments of a call, on the stack.</summary>
[InlineArray(Size)]
internal struct Arguments
{
    public const int Size = 4;
    private CelValue _first;
}

/// <summary>Nodes that evaluate arguments and call a function. An error among the arguments is the result.</summary>
internal static class Calls<TFacts>
{
    public static Node<TFacts> Of(Builtin function, Node<TFacts>[] arguments)
    {
        switch (arguments)
        {
            case []:
                return (ref Frame<TFacts> frame) => function(ref frame.Meter, []);
            case [var only]:
                return (ref Frame<TFacts> frame) =>
                {
                    var value = only(ref frame);
                    return value.IsError ? value : function(ref frame.Meter, new ReadOnlySpan<CelValue>(in value));
                };
            default:
                return (ref Frame<TFacts> frame) =>
                {
                    var buffer = default(Arguments);
                    Span<CelValue> values = arguments.Length <= Arguments.Size ? buffer : new CelValue[arguments.Length];
                    var failure = Evaluate(ref frame, arguments, values);
                    return failure.IsError ? failure : function(ref frame.Meter, values[..arguments.Length]);
                };
        }
    }

    /// <summary>A function of the environment.</summary>
    public static Node<TFacts> Of(CelFunction<TFacts> function, Node<TFacts>[] arguments) => (ref Frame<TFacts> frame) =>
    {
        var buffer = default(Arguments);
        Span<CelValue> values = arguments.Length <= Arguments.Size ? buffer : new CelValue[arguments.Length];
        var failure = Evaluate(ref frame, arguments, values);
        return failure.IsError ? failure : function(frame.Facts, values[..arguments.Length]);
    };

    /// <summary>A function of the environment whose arguments are all constants.</summary>
    public static Node<TFacts> Of(CelFunction<TFacts> function, CelValue[] constants) => (ref Frame<TFacts> frame) => function(frame.Facts, constants);

    /// <summary>The first error among the arguments, or null's value when there is none.</summary>
    private static CelValue Evaluate(scoped ref Frame<TFacts> frame, Node<TFacts>[] arguments, scoped Span<CelValue> values)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i](ref frame);
            if (values[i].IsError) return values[i];
        }
        return CelValue.Null;
    }
}
