using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel.Compilation;

/// <summary>State of one evaluation: lives on the stack, its locals too.</summary>
internal ref struct Frame<TFacts>(TFacts facts, Span<CelValue> locals, int workMax, int builtMax)
{
    public readonly TFacts Facts = facts;
    public readonly Span<CelValue> Locals = locals;
    public Meter Meter = new(workMax, builtMax);
}

/// <summary>One compiled node.</summary>
internal delegate CelValue Node<TFacts>(ref Frame<TFacts> frame);

/// <summary>What compiling one piece of syntax gave.</summary>
internal readonly record struct Code<TFacts>(CelType Type, Node<TFacts> Run)
{
    /// <summary>The value, where no fact changes it. It may be an error.</summary>
    public CelValue? Constant { get; init; }

    /// <summary>Set where running is reading one fact: a parent then reads it without the node between.</summary>
    public CelReader<TFacts>? Read { get; init; }

    /// <summary>The name rules use, where this is a fact or part of one.</summary>
    public string? Path { get; init; }

    /// <summary>Nodes one run passes, without those inside comprehensions, which count themselves.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Estimated work of one run, comprehensions included.</summary>
    public long Work { get; init; } = 1;

    /// <summary>Estimated items, where this is a list or a map.</summary>
    public long Items { get; init; }

    /// <summary>Counts what this runs first.</summary>
    public Code<TFacts> Over(params ReadOnlySpan<Code<TFacts>> parts)
    {
        var (nodes, work) = (Nodes, Work);
        foreach (var part in parts)
        {
            nodes += part.Nodes;
            work = Math.Min(work + part.Work, int.MaxValue);
        }
        return this with { Nodes = nodes, Work = work };
    }
}
