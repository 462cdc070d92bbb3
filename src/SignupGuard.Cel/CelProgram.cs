using System.Runtime.CompilerServices;
using SignupGuard.Cel.Compilation;

namespace SignupGuard.Cel;

/// <summary>What compiling gave: a program, or the issues why not.</summary>
public sealed record CelCompilation<TFacts>(CelProgram<TFacts>? Program, IReadOnlyList<CelIssue> Issues);

/// <summary>A compiled expression. Immutable and thread-safe.</summary>
public sealed class CelProgram<TFacts>
{
    private readonly Node<TFacts> _root;
    private readonly int _locals;
    private readonly int _workMax;
    private readonly int _builtMax;

    internal CelProgram(string source, CelType type, Node<TFacts> root, int locals, int work, CelLimits limits, IReadOnlySet<string> reads)
    {
        Source = source;
        Type = type;
        Work = work;
        Reads = reads;
        _root = root;
        _locals = locals;
        _workMax = limits.WorkMax;
        _builtMax = limits.BuiltMax;
    }

    public string Source { get; }

    public CelType Type { get; }

    /// <summary>Estimated work of one evaluation, in the unit of <see cref="CelLimits.WorkMax"/>.</summary>
    public int Work { get; }

    /// <summary>Paths of the fields the expression may read; functions with () behind their names.</summary>
    public IReadOnlySet<string> Reads { get; }

    /// <summary>The value, or an error value; throws for nothing in the expression.</summary>
    public CelValue Evaluate(TFacts facts)
    {
        if (_locals > 0) return EvaluateWithLocals(facts);
        var frame = new Frame<TFacts>(facts, default, _workMax, _builtMax);
        return _root(ref frame);
    }

    private CelValue EvaluateWithLocals(TFacts facts)
    {
        var slots = default(Slots);
        var frame = new Frame<TFacts>(facts, _locals <= Slots.Size ? slots : new CelValue[_locals], _workMax, _builtMax);
        return _root(ref frame);
    }

    /// <summary>Variables of comprehensions and bindings, on the stack; an expression that nests more of them allocates.</summary>
    [InlineArray(Size)]
    private struct Slots
    {
        public const int Size = 8;
        private CelValue _first;
    }
}
