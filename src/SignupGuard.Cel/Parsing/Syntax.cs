namespace SignupGuard.Cel.Parsing;

internal enum Operator : byte
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// <summary>A parsed expression. <paramref name="Position"/>: offset of its operator or first token, in UTF-16 code units.</summary>
/// <param name="Depth">Nodes on the longest way down, bounded by the parser, so that recursion over syntax is safe.</param>
internal abstract record Syntax(int Position, int Depth)
{
    public static int Over(IEnumerable<Syntax> children) => 1 + children.Select(child => child.Depth).DefaultIfEmpty(0).Max();
}

internal sealed record LiteralSyntax(int Position, CelValue Value) : Syntax(Position, 1);

/// <param name="Absolute">Written with a leading dot: looked up from the root, not in the container nor among locals.</param>
internal sealed record NameSyntax(int Position, string Name, bool Absolute = false) : Syntax(Position, 1);

/// <param name="IsOptional">Written <c>.?field</c>.</param>
internal sealed record SelectSyntax(int Position, Syntax Operand, string Field, bool IsOptional) : Syntax(Position, Operand.Depth + 1);

/// <param name="IsOptional">Written <c>[?index]</c>.</param>
internal sealed record IndexSyntax(int Position, Syntax Operand, Syntax Index, bool IsOptional) : Syntax(Position, Math.Max(Operand.Depth, Index.Depth) + 1);

internal sealed record ItemSyntax(Syntax Value, bool IsOptional);

internal sealed record ListSyntax(int Position, IReadOnlyList<ItemSyntax> Items) : Syntax(Position, Over(Items.Select(item => item.Value)));

internal sealed record EntrySyntax(Syntax Key, Syntax Value, bool IsOptional);

internal sealed record MapSyntax(int Position, IReadOnlyList<EntrySyntax> Entries) : Syntax(Position, Over(Entries.SelectMany(entry => new[] { entry.Key, entry.Value })));

/// <summary><c>Type{field: value}</c>: CEL's message construction, read so that it can be refused by name.</summary>
internal sealed record MessageSyntax(int Position, string Name, IReadOnlyList<Syntax> Values) : Syntax(Position, Over(Values));

internal sealed record NotSyntax(int Position, Syntax Operand) : Syntax(Position, Operand.Depth + 1);

internal sealed record NegateSyntax(int Position, Syntax Operand) : Syntax(Position, Operand.Depth + 1);

internal sealed record BinarySyntax(int Position, Operator Operator, Syntax Left, Syntax Right) : Syntax(Position, Math.Max(Left.Depth, Right.Depth) + 1);

/// <summary>A whole chain of one of <c>&amp;&amp;</c>, <c>||</c>.</summary>
internal sealed record LogicSyntax(int Position, bool IsOr, IReadOnlyList<Syntax> Operands) : Syntax(Position, Over(Operands))
{
    public string Symbol => IsOr ? "||" : "&&";
}

internal sealed record ConditionalSyntax(int Position, Syntax Condition, Syntax Then, Syntax Else)
    : Syntax(Position, Math.Max(Condition.Depth, Math.Max(Then.Depth, Else.Depth)) + 1);

/// <param name="Target">Set for a member call: <c>target.name(args)</c>.</param>
internal sealed record CallSyntax(int Position, Syntax? Target, string Name, IReadOnlyList<Syntax> Arguments)
    : Syntax(Position, Math.Max(Target?.Depth ?? 0, Over(Arguments) - 1) + 1);
