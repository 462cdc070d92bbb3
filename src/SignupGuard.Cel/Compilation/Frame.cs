namespace SignupGuard.Cel.Compilation;

/// <summary>State of one evaluation: lives on the stack; locals are allocated only for comprehensions.</summary>
internal ref struct Frame<TFacts>(TFacts facts, CelValue[] locals, int steps)
{
    public readonly TFacts Facts = facts;
    public readonly CelValue[] Locals = locals;
    public int Steps = steps;
}

/// <summary>One compiled node.</summary>
internal delegate CelValue Node<TFacts>(ref Frame<TFacts> frame);
