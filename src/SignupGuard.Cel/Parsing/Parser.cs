namespace SignupGuard.Cel.Parsing;

/// <summary>
/// Recursive descent over CEL's grammar, which fits one token of look-ahead. Nesting is bounded while reading and every node knows its depth,
/// so no source overflows this stack or that of a later pass.
/// </summary>
internal sealed class Parser
{
    private static readonly Dictionary<string, Operator> Relations = new(StringComparer.Ordinal)
    {
        ["=="] = Operator.Equal,
        ["!="] = Operator.NotEqual,
        ["<"] = Operator.Less,
        ["<="] = Operator.LessOrEqual,
        [">"] = Operator.Greater,
        [">="] = Operator.GreaterOrEqual,
        ["in"] = Operator.In,
    };

    private static readonly Dictionary<string, Operator> Sums = new(StringComparer.Ordinal) { ["+"] = Operator.Add, ["-"] = Operator.Subtract };

    private static readonly Dictionary<string, Operator> Products = new(StringComparer.Ordinal)
    {
        ["*"] = Operator.Multiply,
        ["/"] = Operator.Divide,
        ["%"] = Operator.Modulo,
    };

    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    };

    private readonly List<Token> _tokens;
    private readonly CelLimits _limits;
    private int _at;
    private int _nesting;

    private Parser(List<Token> tokens, CelLimits limits)
    {
        _tokens = tokens;
        _limits = limits;
    }

    /// <exception cref="SyntaxException">The source is no expression or over a limit.</exception>
    public static Syntax Parse(string source, CelLimits limits)
    {
        if (source.Length > limits.LengthMax) throw new SyntaxException(0, $"the expression is longer than {limits.LengthMax} characters");
        var parser = new Parser(Lexer.Read(source), limits);
        var syntax = parser.Expression();
        return parser.Next.Kind == TokenKind.End ? syntax : throw parser.Unexpected();
    }

    private Token Next => _tokens[_at];

    private SyntaxException Unexpected() => Next.Kind switch
    {
        TokenKind.End => new SyntaxException(Next.Position, "the expression ends too early"),
        TokenKind.Literal => new SyntaxException(Next.Position, $"unexpected {Next.Text}"),
        _ => new SyntaxException(Next.Position, $"unexpected `{Next.Text}`", Next.Text.ToUpperInvariant() switch { "AND" => "&&", "OR" => "||", "NOT" => "!", "IS" => "==", _ => null }),
    };

    private bool IsNext(string symbol) => Next.Kind == TokenKind.Symbol && Next.Text == symbol;

    private bool Accept(string symbol)
    {
        if (!IsNext(symbol)) return false;
        _at++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol)) throw new SyntaxException(Next.Position, $"expected `{symbol}`");
    }

    /// <summary>Every node passes here: over the depth it is refused.</summary>
    private T Bounded<T>(T syntax) where T : Syntax => syntax.Depth <= _limits.DepthMax ? syntax : throw TooDeep(syntax.Position);

    private SyntaxException TooDeep(int position) => new(position, $"the expression nests deeper than {_limits.DepthMax}");

    private void Descend()
    {
        if (++_nesting > _limits.DepthMax) throw TooDeep(Next.Position);
    }

    private Syntax Expression()
    {
        Descend();
        var syntax = Or();
        var position = Next.Position;
        if (Accept("?"))
        {
            var then = Or();
            Expect(":");
            syntax = Bounded(new ConditionalSyntax(position, syntax, then, Expression()));
        }
        _nesting--;
        return syntax;
    }

    private Syntax Or()
    {
        var first = And();
        return IsNext("||") ? Chain(first, isOr: true) : first;
    }

    private Syntax And()
    {
        var first = Relation();
        return IsNext("&&") ? Chain(first, isOr: false) : first;
    }

    private LogicSyntax Chain(Syntax first, bool isOr)
    {
        var position = Next.Position;
        var operands = new List<Syntax> { first };
        while (Accept(isOr ? "||" : "&&")) operands.Add(isOr ? And() : Relation());
        return Bounded(new LogicSyntax(position, isOr, operands));
    }

    private Syntax Relation() => Binary(Relations, () => Binary(Sums, () => Binary(Products, Unary)));

    private Syntax Binary(Dictionary<string, Operator> operators, Func<Syntax> operand)
    {
        var left = operand();
        while (Next.Kind is TokenKind.Symbol or TokenKind.Name && operators.TryGetValue(Next.Text, out var used))
        {
            var position = Next.Position;
            _at++;
            left = Bounded(new BinarySyntax(position, used, left, operand()));
        }
        return left;
    }

    private Syntax Unary()
    {
        var position = Next.Position;
        if (Accept("!"))
        {
            Descend();
            var operand = Unary();
            _nesting--;
            return Bounded(new NotSyntax(position, operand));
        }
        if (!Accept("-")) return Members(Primary());
        if (Next is { Kind: TokenKind.Literal, Value.Kind: CelKind.Int or CelKind.Double } token)
        {
            _at++;
            var value = token.Value.Kind == CelKind.Int ? CelValue.From(unchecked(-token.Value.AsInt())) : CelValue.From(-token.Value.AsDouble());
            return Members(new LiteralSyntax(position, value));
        }
        Descend();
        var negated = Unary();
        _nesting--;
        return Bounded(new NegateSyntax(position, negated));
    }

    private Syntax Members(Syntax syntax)
    {
        while (true)
        {
            var position = Next.Position;
            if (Accept("."))
            {
                var isOptional = Accept("?");
                var isQuoted = Next.Kind == TokenKind.QuotedName;
                if ((Next.Kind != TokenKind.Name || Next.Text is "in" or "true" or "false" or "null") && !isQuoted) throw new SyntaxException(Next.Position, "expected a name");
                var name = _tokens[_at++];
                if (!isOptional && !isQuoted && Accept("(")) syntax = Bounded(new CallSyntax(name.Position, syntax, name.Text, Arguments(")")));
                else syntax = Bounded(new SelectSyntax(name.Position, syntax, name.Text, isOptional));
            }
            else if (Accept("["))
            {
                var isOptional = Accept("?");
                var index = Expression();
                Expect("]");
                syntax = Bounded(new IndexSyntax(position, syntax, index, isOptional));
            }
            else if (IsNext("{") && MessageName(syntax) is { } message)
            {
                _at++;
                syntax = Bounded(new MessageSyntax(position, message, MessageFields()));
            }
            else
            {
                return syntax;
            }
        }
    }

    private static string? MessageName(Syntax syntax) => syntax switch
    {
        NameSyntax name => name.Name,
        SelectSyntax { IsOptional: false } select when MessageName(select.Operand) is { } operand => $"{operand}.{select.Field}",
        _ => null,
    };

    private List<Syntax> MessageFields()
    {
        var values = new List<Syntax>();
        while (!Accept("}"))
        {
            Accept("?");
            if (Next.Kind is not (TokenKind.Name or TokenKind.QuotedName)) throw Unexpected();
            _at++;
            Expect(":");
            values.Add(Expression());
            if (!Accept(",") && !IsNext("}")) throw Unexpected();
        }
        return values;
    }

    private Syntax Primary()
    {
        var token = Next;
        switch (token.Kind)
        {
            case TokenKind.Literal when token.IsMinInt:
                throw new SyntaxException(token.Position, "the number does not fit 64 bits");
            case TokenKind.Literal:
                _at++;
                return new LiteralSyntax(token.Position, token.Value);
            case TokenKind.Name:
                return Named(isAbsolute: false);
            case TokenKind.Symbol when Accept("."):
                if (Next.Kind != TokenKind.Name) throw new SyntaxException(Next.Position, "expected a name");
                return Named(isAbsolute: true);
            case TokenKind.Symbol when Accept("("):
                var inner = Expression();
                Expect(")");
                return inner;
            case TokenKind.Symbol when Accept("["):
                return List(token.Position);
            case TokenKind.Symbol when Accept("{"):
                return Map(token.Position);
            default:
                throw Unexpected();
        }
    }

    private Syntax Named(bool isAbsolute)
    {
        var token = _tokens[_at++];
        if (Reserved.Contains(token.Text)) throw new SyntaxException(token.Position, $"`{token.Text}` is a reserved word");
        if (Accept("(")) return Bounded(new CallSyntax(token.Position, null, token.Text, Arguments(")")));
        return token.Text switch
        {
            "true" when !isAbsolute => new LiteralSyntax(token.Position, CelValue.True),
            "false" when !isAbsolute => new LiteralSyntax(token.Position, CelValue.False),
            "null" when !isAbsolute => new LiteralSyntax(token.Position, CelValue.Null),
            _ => new NameSyntax(token.Position, token.Text, isAbsolute),
        };
    }

    private ListSyntax List(int position)
    {
        var items = new List<ItemSyntax>();
        while (!Accept("]"))
        {
            var isOptional = Accept("?");
            items.Add(new ItemSyntax(Expression(), isOptional));
            if (items.Count > _limits.ItemsMax) throw new SyntaxException(position, $"the list has more than {_limits.ItemsMax} items");
            if (!Accept(",") && !IsNext("]")) throw Unexpected();
        }
        return Bounded(new ListSyntax(position, items));
    }

    private MapSyntax Map(int position)
    {
        var entries = new List<EntrySyntax>();
        while (!Accept("}"))
        {
            var isOptional = Accept("?");
            var key = Expression();
            Expect(":");
            entries.Add(new EntrySyntax(key, Expression(), isOptional));
            if (entries.Count > _limits.ItemsMax) throw new SyntaxException(position, $"the map has more than {_limits.ItemsMax} entries");
            if (!Accept(",") && !IsNext("}")) throw Unexpected();
        }
        return Bounded(new MapSyntax(position, entries));
    }

    private List<Syntax> Arguments(string close)
    {
        var arguments = new List<Syntax>();
        if (Accept(close)) return arguments;
        do
        {
            arguments.Add(Expression());
        }
        while (Accept(","));
        Expect(close);
        return arguments;
    }
}
