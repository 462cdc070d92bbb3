using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Reads the outline off a condition that compiled. Its depth is bounded by the parser.</summary>
internal sealed class Outliner<TFacts>(CelEnvironment<TFacts> environment, string source, CelLimits limits)
{
    public CelOutline Visit(Syntax syntax) => syntax switch
    {
        LogicSyntax { IsOr: true } logic => new CelOutline.Any([.. logic.Operands.Select(Visit)]),
        LogicSyntax logic => new CelOutline.All([.. logic.Operands.Select(Visit)]),
        NotSyntax not => new CelOutline.Not(Visit(not.Operand)),
        NameSyntax or SelectSyntax when Field(syntax) is { } path => new CelOutline.Flag(path),
        BinarySyntax { Operator: Operator.In } binary => In(binary),
        BinarySyntax binary when Comparison(binary.Operator) is { } comparison => Compare(binary, comparison),
        _ => CelOutline.Opaque.It,
    };

    private CelOutline Compare(BinarySyntax binary, CelComparison comparison)
    {
        if (Field(binary.Left) is { } left && Constant(binary.Right) is { } right) return new CelOutline.Compare(left, comparison, right);
        if (Field(binary.Right) is { } path && Constant(binary.Left) is { } constant) return new CelOutline.Compare(path, Turned(comparison), constant);
        return CelOutline.Opaque.It;
    }

    private CelOutline In(BinarySyntax binary)
    {
        if (Field(binary.Left) is { } path && Constant(binary.Right) is { Kind: CelKind.List } list) return new CelOutline.OneOf(path, list.AsList());
        if (Field(binary.Right) is { } container && Constant(binary.Left) is { } item) return new CelOutline.Contains(container, item);
        return CelOutline.Opaque.It;
    }

    /// <summary>The declared field that a dotted name is, whole; null for anything else.</summary>
    private string? Field(Syntax syntax)
    {
        var segments = new Stack<string>();
        for (; syntax is SelectSyntax { IsOptional: false } select; syntax = select.Operand) segments.Push(select.Field);
        if (syntax is not NameSyntax name) return null;
        segments.Push(name.Name);
        foreach (var path in environment.Scopes(string.Join('.', segments), name.Absolute))
        {
            if (environment.TryField(path, out _, out _)) return path;
        }
        return null;
    }

    /// <summary>The value of what reads no fact and calls no function of the environment; null for anything else, and for errors.</summary>
    private CelValue? Constant(Syntax syntax)
    {
        if (new Compiler<TFacts>(environment, source, limits, isChecked: true).Compile(syntax, null).Program is not { Reads.Count: 0 } program) return null;
        var value = program.Evaluate(default!);
        return value.IsError ? null : value;
    }

    private static CelComparison? Comparison(Operator symbol) => symbol switch
    {
        Operator.Equal => CelComparison.Equal,
        Operator.NotEqual => CelComparison.NotEqual,
        Operator.Less => CelComparison.Less,
        Operator.LessOrEqual => CelComparison.LessOrEqual,
        Operator.Greater => CelComparison.Greater,
        Operator.GreaterOrEqual => CelComparison.GreaterOrEqual,
        _ => null,
    };

    private static CelComparison Turned(CelComparison comparison) => comparison switch
    {
        CelComparison.Less => CelComparison.Greater,
        CelComparison.LessOrEqual => CelComparison.GreaterOrEqual,
        CelComparison.Greater => CelComparison.Less,
        CelComparison.GreaterOrEqual => CelComparison.LessOrEqual,
        _ => comparison,
    };
}
