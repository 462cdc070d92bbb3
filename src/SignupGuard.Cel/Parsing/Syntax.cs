namespace SignupGuard.Cel.Parsing;

/// <summary>A parsed expression. <paramref name="Position"/>: offset of its operator or first token, in UTF-16 code units.</summary>
internal abstract record Syntax(int Position);

internal sealed record LiteralSyntax(int Position, CelValue Value) : Syntax(Position);

internal sealed record NameSyntax(int Position, string Name) : Syntax(Position);

internal sealed record SelectSyntax(int Position, Syntax Operand, string Field) : Syntax(Position);

internal sealed record IndexSyntax(int Position, Syntax Operand, Syntax Index) : Syntax(Position);

internal sealed record ListSyntax(int Position, IReadOnlyList<Syntax> Items) : Syntax(Position);

internal sealed record UnarySyntax(int Position, string Operator, Syntax Operand) : Syntax(Position);

internal sealed record BinarySyntax(int Position, string Operator, Syntax Left, Syntax Right) : Syntax(Position);

internal sealed record ConditionalSyntax(int Position, Syntax Condition, Syntax Then, Syntax Else) : Syntax(Position);

/// <param name="Target">Set for a member call: <c>target.name(args)</c>.</param>
internal sealed record CallSyntax(int Position, Syntax? Target, string Name, IReadOnlyList<Syntax> Arguments) : Syntax(Position);
