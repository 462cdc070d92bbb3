using System.Globalization;
using System.Text;

namespace SignupGuard.Cel.Parsing;

internal enum TokenKind : byte
{
    End,

    /// <summary>An identifier or a word.</summary>
    Name,

    /// <summary>A name in backticks: a field's name and nothing else.</summary>
    QuotedName,
    Literal,
    Symbol,
}

/// <param name="Text">Of a name the name, of a symbol the symbol.</param>
/// <param name="IsMinInt">The literal is 2^63: an int only behind a minus.</param>
internal readonly record struct Token(TokenKind Kind, int Position, string Text, CelValue Value, bool IsMinInt = false);

/// <summary>The source is no expression, or over a limit.</summary>
internal sealed class SyntaxException(int position, string message, string? suggestion = null) : Exception(message)
{
    public int Position { get; } = position;

    public string? Suggestion { get; } = suggestion;
}

/// <summary>Splits source into tokens.</summary>
internal static class Lexer
{
    private static readonly string[] Symbols =
        ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    /// <exception cref="SyntaxException">A character or literal that CEL does not have.</exception>
    public static List<Token> Read(string source)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (true)
        {
            SkipBlank(source, ref at);
            if (at >= source.Length)
            {
                tokens.Add(new Token(TokenKind.End, source.Length, "", default));
                return tokens;
            }
            tokens.Add(Next(source, ref at));
        }
    }

    private static void SkipBlank(string source, ref int at)
    {
        while (at < source.Length)
        {
            if (source[at] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                at++;
            }
            else if (StartsAt(source, at, "//"))
            {
                while (at < source.Length && source[at] != '\n') at++;
            }
            else
            {
                return;
            }
        }
    }

    private static Token Next(string source, ref int at)
    {
        var start = at;
        var c = source[at];
        if (TryPrefix(source, at, out var isRaw, out var isBytes, out var quote))
        {
            at = quote;
            var value = isBytes ? CelValue.FromBytes(ReadBytes(source, start, isRaw, ref at)) : CelValue.From(ReadText(source, start, isRaw, ref at));
            return new Token(TokenKind.Literal, start, "literal", value);
        }
        if (IsNameStart(c))
        {
            while (at < source.Length && (IsNameStart(source[at]) || char.IsAsciiDigit(source[at]))) at++;
            return new Token(TokenKind.Name, start, source[start..at], default);
        }
        if (c == '`') return ReadQuotedName(source, ref at);
        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1]))) return ReadNumber(source, ref at);
        var symbol = Array.Find(Symbols, s => StartsAt(source, start, s)) ?? throw new SyntaxException(start, "unexpected character", Meant(c));
        at += symbol.Length;
        return new Token(TokenKind.Symbol, start, symbol, default);
    }

    private static string? Meant(char c) => c switch
    {
        '=' => "==",
        '&' => "&&",
        '|' => "||",
        '\u2018' or '\u2019' => "'",
        '\u201C' or '\u201D' or '\u201E' => "\"",
        _ => null,
    };

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static bool StartsAt(string source, int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    /// <summary>Whether a string or bytes literal starts here: a quote, or r, b or both before one.</summary>
    private static bool TryPrefix(string source, int at, out bool isRaw, out bool isBytes, out int quote)
    {
        (isRaw, isBytes, quote) = (false, false, at);
        while (quote < source.Length && quote < at + 2)
        {
            if (source[quote] is 'r' or 'R' && !isRaw) isRaw = true;
            else if (source[quote] is 'b' or 'B' && !isBytes) isBytes = true;
            else break;
            quote++;
        }
        return quote < source.Length && source[quote] is '"' or '\'';
    }

    private static Token ReadQuotedName(string source, ref int at)
    {
        var start = at++;
        while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] is '_' or '.' or '-' or '/' or ' ')) at++;
        if (at >= source.Length || source[at] != '`' || at == start + 1) throw new SyntaxException(start, "a name in backticks holds letters, digits, `_`, `.`, `-`, `/` or spaces");
        return new Token(TokenKind.QuotedName, start, source[(start + 1)..at++], default);
    }

    private static Token ReadNumber(string source, ref int at)
    {
        var start = at;
        var isHex = StartsAt(source, at, "0x") || StartsAt(source, at, "0X");
        if (isHex)
        {
            at += 2;
            while (at < source.Length && char.IsAsciiHexDigit(source[at])) at++;
        }
        else
        {
            SkipDigits(source, ref at);
            var whole = at;
            if (at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]))
            {
                at++;
                SkipDigits(source, ref at);
            }
            if (at < source.Length && source[at] is 'e' or 'E')
            {
                at++;
                if (at < source.Length && source[at] is '+' or '-') at++;
                var exponent = at;
                SkipDigits(source, ref at);
                if (at == exponent) throw new SyntaxException(start, "the number has no exponent after `e`");
            }
            if (at > whole)
            {
                return double.TryParse(source.AsSpan(start, at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                    ? new Token(TokenKind.Literal, start, "number", CelValue.From(number))
                    : throw new SyntaxException(start, "the number does not fit a double");
            }
        }
        var digits = isHex ? source.AsSpan(start + 2, at - start - 2) : source.AsSpan(start, at - start);
        var fits = ulong.TryParse(digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        var isUnsigned = at < source.Length && source[at] is 'u' or 'U';
        if (isUnsigned) at++;
        const ulong MinInt = 1UL << 63;
        if (!fits || (!isUnsigned && value > MinInt)) throw new SyntaxException(start, "the number does not fit 64 bits");
        if (isUnsigned) return new Token(TokenKind.Literal, start, "number", CelValue.From(value));
        return value == MinInt
            ? new Token(TokenKind.Literal, start, "number", CelValue.From(long.MinValue), IsMinInt: true)
            : new Token(TokenKind.Literal, start, "number", CelValue.From((long)value));
    }

    private static void SkipDigits(string source, ref int at)
    {
        while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
    }

    private static string ReadText(string source, int start, bool isRaw, ref int at)
    {
        var text = new StringBuilder();
        ReadQuoted(source, start, isRaw, isBytes: false, ref at, (span, code) =>
        {
            if (code < 0) text.Append(span);
            else text.Append(new Rune(code).ToString());
        });
        return text.ToString();
    }

    private static byte[] ReadBytes(string source, int start, bool isRaw, ref int at)
    {
        var bytes = new List<byte>();
        ReadQuoted(source, start, isRaw, isBytes: true, ref at, (span, code) =>
        {
            if (code < 0) bytes.AddRange(Encoding.UTF8.GetBytes(span));
            else bytes.Add((byte)code);
        });
        return [.. bytes];
    }

    /// <param name="add">Takes a stretch of plain text, or (with code at least 0) one escaped code point or byte.</param>
    private static void ReadQuoted(string source, int start, bool isRaw, bool isBytes, ref int at, Action<string, int> add)
    {
        var close = source[at].ToString();
        if (StartsAt(source, at, new string(source[at], 3))) close = new string(source[at], 3);
        at += close.Length;
        var plain = at;
        while (true)
        {
            if (at >= source.Length || (close.Length == 1 && source[at] is '\n' or '\r')) throw new SyntaxException(start, "the string is not closed");
            if (StartsAt(source, at, close))
            {
                if (at > plain) add(source[plain..at], -1);
                at += close.Length;
                return;
            }
            if (source[at] != '\\' || isRaw)
            {
                at++;
                continue;
            }
            if (at > plain) add(source[plain..at], -1);
            add("", ReadEscape(source, isBytes, ref at));
            plain = at;
        }
    }

    private static int ReadEscape(string source, bool isBytes, ref int at)
    {
        var start = at++;
        if (at >= source.Length) throw new SyntaxException(start, "the string is not closed");
        var c = source[at++];
        var simple = "abfnrtv\\'\"`?".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0) return "\a\b\f\n\r\t\v\\'\"`?"[simple];
        var (digits, radix) = c switch { 'x' or 'X' => (2, 16), 'u' when !isBytes => (4, 16), 'U' when !isBytes => (8, 16), >= '0' and <= '3' => (3, 8), _ => (0, 0) };
        if (radix == 8) at--;
        var code = 0L;
        for (var i = 0; i < digits; i++)
        {
            var digit = at < source.Length && char.IsAsciiHexDigit(source[at]) ? Convert.ToInt32(source[at].ToString(), 16) : radix;
            if (digit >= radix) throw new SyntaxException(start, "unknown escape");
            code = (code * radix) + digit;
            at++;
        }
        if (digits == 0 || code > int.MaxValue || (!isBytes && !Rune.IsValid((int)code))) throw new SyntaxException(start, "unknown escape");
        return (int)code;
    }
}
