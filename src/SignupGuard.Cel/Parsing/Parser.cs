using System.Globalization;
using System.Text;

namespace SignupGuard.Cel.Parsing;

/// <summary>An expression that does not parse. Caught at the one place where parsing starts; never leaves the library.</summary>
internal sealed class SyntaxException(int position, string message) : Exception(message)
{
    public int Position { get; } = position;
}

internal enum TokenKind : byte { End, Name, Int, Double, String, Symbol }

internal readonly record struct Token(TokenKind Kind, int Position, string Text, CelValue Value);

/// <summary>Turns source into tokens. Strings know CEL's escapes, raw and triple-quoted forms.</summary>
internal static class Lexer
{
    private static readonly string[] Symbols =
        ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]"];

    public static List<Token> Read(string source)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (true)
        {
            while (at < source.Length && (char.IsWhiteSpace(source[at]) || StartsAt(source, at, "//")))
            {
                if (source[at] == '/')
                {
                    while (at < source.Length && source[at] != '\n') at++;
                }
                else
                {
                    at++;
                }
            }
            if (at >= source.Length)
            {
                tokens.Add(new Token(TokenKind.End, source.Length, "", default));
                return tokens;
            }
            var start = at;
            var c = source[at];
            if (c is '"' or '\'' || (c is 'r' or 'R' && at + 1 < source.Length && source[at + 1] is '"' or '\''))
            {
                var text = ReadString(source, ref at);
                tokens.Add(new Token(TokenKind.String, start, source[start..at], CelValue.From(text)));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] == '_')) at++;
                tokens.Add(new Token(TokenKind.Name, start, source[start..at], default));
            }
            else if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1])))
            {
                tokens.Add(ReadNumber(source, ref at));
            }
            else
            {
                var symbol = Array.Find(Symbols, s => StartsAt(source, start, s))
                    ?? throw new SyntaxException(start, "unexpected character");
                at += symbol.Length;
                tokens.Add(new Token(TokenKind.Symbol, start, symbol, default));
            }
        }
    }

    private static bool StartsAt(string source, int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private static Token ReadNumber(string source, ref int at)
    {
        var start = at;
        if (source[at] == '0' && at + 1 < source.Length && source[at + 1] is 'x' or 'X')
        {
            at += 2;
            var digits = at;
            while (at < source.Length && char.IsAsciiHexDigit(source[at])) at++;
            return long.TryParse(source.AsSpan(digits, at - digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) && hex >= 0
                ? new Token(TokenKind.Int, start, source[start..at], CelValue.From(hex))
                : throw new SyntaxException(start, "the number does not fit 64 bits");
        }
        var isDouble = false;
        while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        if (at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]))
        {
            isDouble = true;
            at++;
            while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        }
        if (at < source.Length && source[at] is 'e' or 'E')
        {
            isDouble = true;
            at++;
            if (at < source.Length && source[at] is '+' or '-') at++;
            while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        }
        var text = source[start..at];
        if (isDouble)
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? new Token(TokenKind.Double, start, text, CelValue.From(number))
                : throw new SyntaxException(start, "not a number");
        }
        if (text == "9223372036854775808") return new Token(TokenKind.Int, start, text, CelValue.From(long.MinValue)); // Only after a minus; the parser holds that.
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var integer)
            ? new Token(TokenKind.Int, start, text, CelValue.From(integer))
            : throw new SyntaxException(start, "the number does not fit 64 bits");
    }

    private static string ReadString(string source, ref int at)
    {
        var start = at;
        var raw = source[at] is 'r' or 'R';
        if (raw) at++;
        var quote = source[at];
        var close = StartsAt(source, at, new string(quote, 3)) ? new string(quote, 3) : quote.ToString();
        at += close.Length;
        var text = new StringBuilder();
        while (true)
        {
            if (at >= source.Length || (close.Length == 1 && source[at] == '\n')) throw new SyntaxException(start, "the string is not closed");
            if (StartsAt(source, at, close))
            {
                at += close.Length;
                return text.ToString();
            }
            if (source[at] != '\\' || raw)
            {
                text.Append(source[at++]);
                continue;
            }
            ReadEscape(source, ref at, text);
        }
    }

    private static void ReadEscape(string source, ref int at, StringBuilder text)
    {
        var start = at++;
        if (at >= source.Length) throw new SyntaxException(start, "the string is not closed");
        var c = source[at++];
        var simple = "abfnrtv\\'\"`?".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0)
        {
            text.Append("\a\b\f\n\r\t\v\\'\"`?"[simple]);
            return;
        }
        var (digits, radix) = c switch { 'x' or 'X' => (2, 16), 'u' => (4, 16), 'U' => (8, 16), >= '0' and <= '3' => (3, 8), _ => (0, 0) };
        if (radix == 8) at--;
        var code = 0L;
        for (var i = 0; i < digits; i++)
        {
            var digit = at < source.Length && char.IsAsciiHexDigit(source[at]) ? Convert.ToInt32(source[at].ToString(), 16) : radix;
            if (digit >= radix) throw new SyntaxException(start, "unknown escape");
            code = (code * radix) + digit;
            at++;
        }
        if (digits == 0 || !Rune.IsValid((int)Math.Min(code, int.MaxValue))) throw new SyntaxException(start, "unknown escape");
        text.Append(new Rune((int)code).ToString());
    }
}

/// <summary>Recursive descent over CEL's grammar. Depth is bounded, so no source overflows the stack.</summary>
internal sealed class Parser
{
    private static readonly string[] Relations = ["==", "!=", "<", "<=", ">", ">="];
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    };

    private readonly List<Token> _tokens;
    private readonly CelLimits _limits;
    private int _at;
    private int _depth;

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
        return parser.Next.Kind == TokenKind.End ? syntax : throw new SyntaxException(parser.Next.Position, $"unexpected '{parser.Next.Text}'");
    }

    private Token Next => _tokens[_at];

    private bool Accept(string symbol)
    {
        if (Next.Kind != TokenKind.Symbol || Next.Text != symbol) return false;
        _at++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol)) throw new SyntaxException(Next.Position, $"expected '{symbol}'");
    }

    private Syntax Deeper(Func<Syntax> parse)
    {
        if (++_depth > _limits.DepthMax) throw new SyntaxException(Next.Position, $"the expression nests deeper than {_limits.DepthMax}");
        var result = parse();
        _depth--;
        return result;
    }

    private Syntax Expression() => Deeper(() =>
    {
        var condition = Or();
        var position = Next.Position;
        if (!Accept("?")) return condition;
        var then = Or();
        Expect(":");
        return new ConditionalSyntax(position, condition, then, Expression());
    });

    private Syntax Or() => Chain(And, "||");

    private Syntax And() => Chain(Relation, "&&");

    private Syntax Relation()
    {
        var left = Sum();
        for (var links = 0; ; links++)
        {
            var (position, text) = (Next.Position, Next.Text);
            var relation = (Next.Kind == TokenKind.Symbol && Relations.Contains(text)) || (Next.Kind == TokenKind.Name && text == "in");
            if (!relation) return left;
            if (links > _limits.DepthMax) throw new SyntaxException(position, $"more than {_limits.DepthMax} comparisons in one chain");
            _at++;
            left = new BinarySyntax(position, text, left, Sum());
        }
    }

    private Syntax Sum() => Chain(Product, "+", "-");

    private Syntax Product() => Chain(Unary, "*", "/", "%");

    private Syntax Chain(Func<Syntax> operand, params ReadOnlySpan<string> operators)
    {
        var left = operand();
        var links = 0;
        while (true)
        {
            var position = Next.Position;
            string? used = null;
            foreach (var symbol in operators)
            {
                if (Accept(symbol)) used = symbol;
                if (used is not null) break;
            }
            if (used is null) return left;
            if (++links > _limits.DepthMax * 4) throw new SyntaxException(position, $"more than {_limits.DepthMax * 4} operators in one chain");
            left = new BinarySyntax(position, used, left, operand());
        }
    }

    private Syntax Unary()
    {
        var position = Next.Position;
        if (Accept("!")) return Deeper(() => new UnarySyntax(position, "!", Unary()));
        if (!Accept("-")) return Member();
        if (Next.Kind is TokenKind.Int)
        {
            var token = _tokens[_at++];
            return Members(new LiteralSyntax(position, CelValue.From(unchecked(-token.Value.AsInt()))));
        }
        if (Next.Kind is TokenKind.Double)
        {
            var token = _tokens[_at++];
            return Members(new LiteralSyntax(position, CelValue.From(-token.Value.AsDouble())));
        }
        return Deeper(() => new UnarySyntax(position, "-", Unary()));
    }

    private Syntax Member() => Members(Primary());

    private Syntax Members(Syntax syntax)
    {
        var links = 0;
        while (true)
        {
            var position = Next.Position;
            if (Accept("."))
            {
                var name = Name();
                syntax = Accept("(") ? new CallSyntax(position + 1, syntax, name, Arguments(")")) : new SelectSyntax(position + 1, syntax, name);
            }
            else if (Accept("["))
            {
                syntax = new IndexSyntax(position, syntax, Expression());
                Expect("]");
            }
            else
            {
                return syntax;
            }
            if (++links > _limits.DepthMax) throw new SyntaxException(position, $"the expression nests deeper than {_limits.DepthMax}");
        }
    }

    private string Name()
    {
        if (Next.Kind != TokenKind.Name) throw new SyntaxException(Next.Position, "expected a name");
        return _tokens[_at++].Text;
    }

    private Syntax Primary()
    {
        var token = Next;
        switch (token.Kind)
        {
            case TokenKind.Int when token.Value.AsInt() == long.MinValue:
                throw new SyntaxException(token.Position, "the number does not fit 64 bits");
            case TokenKind.Int or TokenKind.Double or TokenKind.String:
                _at++;
                return new LiteralSyntax(token.Position, token.Value);
            case TokenKind.Name:
                _at++;
                if (Reserved.Contains(token.Text) || token.Text == "in") throw new SyntaxException(token.Position, $"'{token.Text}' is a reserved word");
                if (Accept("(")) return new CallSyntax(token.Position, null, token.Text, Arguments(")"));
                return token.Text switch
                {
                    "true" => new LiteralSyntax(token.Position, CelValue.True),
                    "false" => new LiteralSyntax(token.Position, CelValue.False),
                    "null" => new LiteralSyntax(token.Position, CelValue.Null),
                    _ => new NameSyntax(token.Position, token.Text),
                };
            case TokenKind.Symbol when Accept("("):
                var inner = Expression();
                Expect(")");
                return inner;
            case TokenKind.Symbol when Accept("["):
                var items = Arguments("]");
                return items.Count <= _limits.ListItemsMax
                    ? new ListSyntax(token.Position, items)
                    : throw new SyntaxException(token.Position, $"the list has more than {_limits.ListItemsMax} items");
            default:
                throw new SyntaxException(token.Position, token.Kind == TokenKind.End ? "the expression ends too early" : $"unexpected '{token.Text}'");
        }
    }

    private List<Syntax> Arguments(string close)
    {
        var arguments = new List<Syntax>();
        while (!Accept(close))
        {
            if (arguments.Count > 0) Expect(",");
            if (arguments.Count > 0 && Accept(close)) return arguments;
            arguments.Add(Expression());
        }
        return arguments;
    }
}
