using System.Text;
using System.Text.RegularExpressions;

namespace SignupGuard.Cel.Functions;

/// <summary>
/// CEL's regular expressions are RE2's. They run on .NET's non-backtracking engine, which is linear in the text like RE2;
/// what the two read differently is rewritten, what RE2 does not have is refused.
/// </summary>
internal static class Patterns
{
    private const int ProbeLength = 512;
    private const long ProbeBytesMax = 2 << 20;

    /// <summary>The last guard: what got past the bounds on save ends here, in an error, and takes no more of a signup's time.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>Null, with the reason, when the pattern is none or asks for too much.</summary>
    public static Pattern? Compile(string pattern, CelLimits limits, out string? problem)
    {
        if (pattern.Length > limits.PatternLengthMax)
        {
            problem = $"the pattern is longer than {limits.PatternLengthMax} characters";
            return null;
        }
        if (Translate(pattern, limits.PatternSizeMax, out var size, out problem) is not { } translated) return null;
        // A first use in the process also fills the engine's own tables: only what grows too large twice does so by itself.
        const int Attempts = 2;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            Regex regex;
            try
            {
                regex = new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);
            }
            catch (Exception refused) when (refused is ArgumentException or NotSupportedException or InsufficientExecutionStackException)
            {
                problem = refused is NotSupportedException
                    ? "the pattern is too large, or uses what a linear-time engine can't do (look-around, back-references)"
                    : "the pattern is no regular expression";
                return null;
            }
            if (!GrowsTooLarge(regex, pattern)) return new Pattern(regex, Pattern.WorkOf(size));
        }
        problem = "the pattern's automaton grows too large; use smaller repeats, or anchor it";
        return null;
    }

    /// <summary>
    /// The engine builds its automaton while it reads, and a hostile pattern makes it build much: it is tried on a text of its own characters.
    /// What it allocates there is the same on every run and machine, which its time is not.
    /// </summary>
    private static bool GrowsTooLarge(Regex regex, string pattern)
    {
        var alphabet = pattern.Where(char.IsAsciiLetterOrDigit).Distinct().DefaultIfEmpty('a').ToArray();
        var text = new char[ProbeLength];
        var state = 1u;
        for (var i = 0; i < text.Length; i++)
        {
            state = unchecked((state * 1_664_525u) + 1_013_904_223u);
            text[i] = alphabet[(state >> 16) % (uint)alphabet.Length];
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return true;
        }
        return GC.GetAllocatedBytesForCurrentThread() - before > ProbeBytesMax;
    }

    private static string? Translate(string pattern, int sizeMax, out long size, out string? problem)
    {
        problem = null;
        var built = new StringBuilder(pattern.Length + 16);
        // Positions of the last atom and of this group with its counted repeats written out: counts inside one another multiply.
        var outer = new Stack<long>();
        var atom = 0L;
        size = 0;
        var inClass = false;
        for (var at = 0; at < pattern.Length; at++)
        {
            var c = pattern[at];
            if (c == '\\')
            {
                size += atom = 1;
                if (at + 1 >= pattern.Length)
                {
                    problem = "the pattern ends in a backslash";
                    return null;
                }
                if (pattern[++at] == 'Q' && !inClass)
                {
                    var end = pattern.IndexOf("\\E", at, StringComparison.Ordinal);
                    built.Append(Regex.Escape(pattern[(at + 1)..(end < 0 ? pattern.Length : end)]));
                    at = end < 0 ? pattern.Length : end + 1;
                    continue;
                }
                if (Escape(pattern[at], inClass) is not { } escape)
                {
                    problem = pattern[at] is >= '1' and <= '9' or 'k' ? "the pattern has a back-reference, which a linear-time engine can't do" : $"the pattern has an escape RE2 does not know: \\{pattern[at]}";
                    return null;
                }
                built.Append(escape);
                // Braces belong to the escape: \p{Greek}, \x{10FFFF}.
                if (pattern[at] is 'p' or 'P' or 'x' && at + 1 < pattern.Length && pattern[at + 1] == '{')
                {
                    var close = pattern.IndexOf('}', at);
                    if (close < 0 || !Braced(built, pattern[at], pattern[(at + 2)..close]))
                    {
                        problem = "the pattern has a wrong escape in braces";
                        return null;
                    }
                    at = close;
                }
                continue;
            }
            if (inClass)
            {
                if (c == ']') inClass = false;
                if (c == '[' && at + 1 < pattern.Length && pattern[at + 1] == ':')
                {
                    if (PosixClass(pattern, ref at) is not { } posix)
                    {
                        problem = "the pattern has an unknown class in [: :]";
                        return null;
                    }
                    built.Append(posix);
                    continue;
                }
                built.Append(c == '[' ? "\\[" : c == '-' && at + 1 < pattern.Length && pattern[at + 1] == '[' ? "\\-" : c.ToString());
                continue;
            }
            switch (c)
            {
                case '[':
                    inClass = true;
                    size += atom = 1;
                    built.Append(c);
                    if (at + 1 < pattern.Length && pattern[at + 1] == '^') built.Append(pattern[++at]);
                    if (at + 1 < pattern.Length && pattern[at + 1] == ']')
                    {
                        built.Append("\\]");
                        at++;
                    }
                    break;
                case '(':
                    outer.Push(size);
                    size = 0;
                    if (at + 2 < pattern.Length && pattern[at + 1] == '?' && pattern[at + 2] == 'P')
                    {
                        built.Append("(?");
                        at += 2;
                        break;
                    }
                    if (at + 2 < pattern.Length && pattern[at + 1] == '?' && (pattern[at + 2] is '=' or '!' or '>' or '#' or '(' || (pattern[at + 2] == '<' && at + 3 < pattern.Length && pattern[at + 3] is '=' or '!')))
                    {
                        problem = "the pattern has a look-around or atomic group, which a linear-time engine can't do";
                        return null;
                    }
                    built.Append(c);
                    break;
                case ')':
                    atom = size;
                    if (outer.Count > 0) size += outer.Pop();
                    built.Append(c);
                    break;
                case '$':
                    // .NET's $ also matches before a last line feed.
                    built.Append("\\z");
                    break;
                case '{':
                    var until = pattern.IndexOf('}', at);
                    if (until > 0 && Counted(pattern.AsSpan(at + 1, until - at - 1)) is { } count)
                    {
                        size = Math.Min(size + (atom * (Math.Max(count, 1) - 1)), int.MaxValue);
                        atom = Math.Min(atom * Math.Max(count, 1), int.MaxValue);
                        built.Append(pattern, at, until - at + 1);
                        at = until;
                        break;
                    }
                    built.Append(c);
                    break;
                default:
                    if (c is not ('*' or '+' or '?' or '|' or '^')) size += atom = 1;
                    built.Append(c);
                    break;
            }
            if (size > sizeMax)
            {
                problem = $"the pattern is larger than {sizeMax} characters with its repeats written out";
                return null;
            }
        }
        return built.ToString();
    }

    /// <summary>The larger bound of n, n,m or n, in braces; null when the braces are text.</summary>
    private static long? Counted(ReadOnlySpan<char> braces)
    {
        var comma = braces.IndexOf(',');
        var low = comma < 0 ? braces : braces[..comma];
        var high = comma < 0 ? low : braces[(comma + 1)..];
        if (!int.TryParse(low, out var from)) return low.IsEmpty || low.IndexOfAnyExceptInRange('0', '9') >= 0 ? null : int.MaxValue;
        if (high.IsEmpty) return from;
        if (!int.TryParse(high, out var to)) return high.IndexOfAnyExceptInRange('0', '9') >= 0 ? null : int.MaxValue;
        return Math.Max(from, to);
    }

    /// <summary>RE2's \d, \w and \s are ASCII.</summary>
    private static string? Escape(char c, bool inClass) => c switch
    {
        'd' => inClass ? "0-9" : "[0-9]",
        'w' => inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]",
        's' => inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]",
        'D' => inClass ? "\\x00-/:-\\uFFFF" : "[^0-9]",
        'W' => inClass ? "\\x00-/:-@\\[-\\^`{-\\uFFFF" : "[^0-9A-Za-z_]",
        'S' => inClass ? "\\x00-\\x08\\x0B\\x0E-\\x1F!-\\uFFFF" : "[^\\t\\n\\f\\r ]",
        'b' or 'B' => inClass ? null : $"\\{c}",
        'A' or 'z' => inClass ? null : $"\\{c}",
        'p' or 'P' or 'x' => $"\\{c}",
        'a' or 'f' or 'n' or 'r' or 't' or 'v' or '0' => $"\\{c}",
        _ => char.IsAsciiLetterOrDigit(c) ? null : $"\\{c}",
    };

    private static bool Braced(StringBuilder built, char escape, string name)
    {
        if (escape != 'x')
        {
            if (name.Length is 0 or > 32 || !name.All(char.IsAsciiLetter)) return false;
            built.Append('{').Append(name switch { "Greek" => "IsGreek", "Cyrillic" => "IsCyrillic", "Hebrew" => "IsHebrew", "Arabic" => "IsArabic", _ => name }).Append('}');
            return true;
        }
        if (!int.TryParse(name, System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code)) return false;
        built.Length -= 2;
        built.Append(code <= char.MaxValue ? Regex.Escape(((char)code).ToString()) : $"(?:{new Rune(code)})");
        return true;
    }

    private static string? PosixClass(string pattern, ref int at)
    {
        var end = pattern.IndexOf(":]", at + 2, StringComparison.Ordinal);
        if (end < 0) return null;
        var ranges = pattern[(at + 2)..end] switch
        {
            "alpha" => "A-Za-z",
            "digit" => "0-9",
            "alnum" => "0-9A-Za-z",
            "upper" => "A-Z",
            "lower" => "a-z",
            "space" => "\\t\\n\\v\\f\\r ",
            "punct" => "!-/:-@\\[-`{-~",
            "xdigit" => "0-9A-Fa-f",
            "word" => "0-9A-Za-z_",
            "blank" => "\\t ",
            _ => null,
        };
        at = end + 1;
        return ranges;
    }
}
