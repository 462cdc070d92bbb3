namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// Finds text that every match of a regular expression must contain, so that most of a thousand patterns can be ruled out by a plain
/// search. It understands a part of the syntax and gives up (null) on the rest: giving up costs time, never a match.
/// </summary>
internal static class RequiredLiterals
{
    /// <summary>Shorter text rules nothing out.</summary>
    private const int LengthMin = 2;

    /// <summary>
    /// One of these, in whatever case, is in every match; null when nothing can be said. Case is left open because patterns write it as
    /// classes ("[Bb]ot").
    /// </summary>
    public static string[]? Of(string pattern)
    {
        // Spaces and comments would mean something else than they say.
        if (pattern.Contains("(?x", StringComparison.Ordinal)) return null;
        var at = 0;
        var found = Alternatives(pattern, ref at);
        return at == pattern.Length && found is not null && found.All(literal => literal.Length >= LengthMin) ? found : null;
    }

    /// <summary>The text that a pattern without any operator stands for ("Googlebot\/"); null for every other pattern.</summary>
    public static string? Plain(string pattern)
    {
        var plain = new System.Text.StringBuilder(pattern.Length);
        for (var at = 0; at < pattern.Length;)
        {
            if (pattern[at] == '\\')
            {
                if (Escaped(pattern, ref at) is not { } escaped) return null;
                plain.Append(escaped);
            }
            else
            {
                if ("^$.|?*+()[]{}".Contains(pattern[at], StringComparison.Ordinal)) return null;
                plain.Append(pattern[at++]);
            }
        }
        return plain.ToString();
    }

    /// <summary>Alternatives up to the end or a closing parenthesis: all of them must require something.</summary>
    private static string[]? Alternatives(string pattern, ref int at)
    {
        var all = new List<string>();
        var known = true;
        while (true)
        {
            if (Sequence(pattern, ref at) is { } required) all.AddRange(required);
            else known = false;
            if (at >= pattern.Length || pattern[at] == ')') break;
            at++;
        }
        return known ? [.. all] : null;
    }

    /// <summary>What a sequence requires: the best of its runs of plain characters and its groups.</summary>
    private static string[]? Sequence(string pattern, ref int at)
    {
        string[]? best = null;
        var run = new System.Text.StringBuilder();

        void Offer(string[]? candidate)
        {
            if (candidate is { Length: > 0 } && (best is null || candidate.Min(text => text.Length) > best.Min(text => text.Length))) best = candidate;
        }

        void EndRun()
        {
            if (run.Length > 0) Offer([run.ToString()]);
            run.Clear();
        }

        while (at < pattern.Length && pattern[at] is not ('|' or ')'))
        {
            var character = pattern[at];
            string[]? group = null;
            char? literal = null;
            switch (character)
            {
                case '(':
                    EndRun();
                    group = Group(pattern, ref at);
                    break;
                case '[':
                    literal = Class(pattern, ref at);
                    if (literal is null) EndRun();
                    break;
                case '\\':
                    literal = Escaped(pattern, ref at);
                    if (literal is null) EndRun();
                    break;
                case '.' or '^' or '$':
                    EndRun();
                    at++;
                    break;
                default:
                    literal = character;
                    at++;
                    break;
            }
            var (optional, repeated) = Quantifier(pattern, ref at);
            if (literal is { } plain)
            {
                if (!optional) run.Append(plain);
                if (optional || repeated) EndRun();
            }
            else if (!optional)
            {
                Offer(group);
            }
        }
        EndRun();
        return best;
    }

    private static string[]? Group(string pattern, ref int at)
    {
        at++;
        var counts = true;
        if (at < pattern.Length && pattern[at] == '?')
        {
            if (pattern.AsSpan(at).StartsWith("?:"))
            {
                at += 2;
            }
            else if (pattern.AsSpan(at).StartsWith("?<") && !pattern.AsSpan(at).StartsWith("?<=") && !pattern.AsSpan(at).StartsWith("?<!"))
            {
                at = pattern.IndexOf('>', at) + 1;
            }
            else if (pattern.AsSpan(at).StartsWith("?i"))
            {
                // "(?i)" or "(?i:…": case is open anyway.
                at += 2;
                if (at < pattern.Length && pattern[at] is ')' or ':' && pattern[at++] == ')') return null;
            }
            else
            {
                // Look-around: its text need not be part of the match, or must not be there at all.
                counts = false;
                at += pattern.AsSpan(at).StartsWith("?<") ? 3 : 2;
            }
        }
        var inner = Alternatives(pattern, ref at);
        if (at < pattern.Length) at++;
        return counts ? inner : null;
    }

    /// <summary>The letter of a class that holds just its two cases ("[Bb]"); null for any other class.</summary>
    private static char? Class(string pattern, ref int at)
    {
        var start = at;
        SkipClass(pattern, ref at);
        return at - start == 4 && char.IsAsciiLetter(pattern[start + 1]) && pattern[start + 1] != pattern[start + 2] && (pattern[start + 1] | 0x20) == (pattern[start + 2] | 0x20)
            ? pattern[start + 1]
            : null;
    }

    private static void SkipClass(string pattern, ref int at)
    {
        at++;
        if (at < pattern.Length && pattern[at] == '^') at++;
        // A closing bracket in first place is a plain character.
        if (at < pattern.Length && pattern[at] == ']') at++;
        while (at < pattern.Length && pattern[at] != ']') at += pattern[at] == '\\' ? 2 : 1;
        at++;
    }

    /// <summary>The character that an escape stands for; null when it stands for a class or a place.</summary>
    private static char? Escaped(string pattern, ref int at)
    {
        at += 2;
        if (at > pattern.Length) return null;
        var character = pattern[at - 1];
        return char.IsLetterOrDigit(character) ? null : character;
    }

    private static (bool Optional, bool Repeated) Quantifier(string pattern, ref int at)
    {
        if (at >= pattern.Length) return (false, false);
        var result = pattern[at] switch
        {
            '?' or '*' => (true, true),
            '+' => (false, true),
            '{' => pattern.AsSpan(at).StartsWith("{0") ? (true, true) : (false, true),
            _ => (false, false),
        };
        if (!result.Item2) return result;
        if (pattern[at] == '{')
        {
            var close = pattern.IndexOf('}', at);
            // A brace without its pair, or without a number, is a plain character; too rare to read on.
            if (close < 0 || !char.IsAsciiDigit(pattern[at + 1]))
            {
                at = pattern.Length + 1;
                return (true, true);
            }
            at = close + 1;
        }
        else
        {
            at++;
        }
        // Lazy or possessive.
        if (at < pattern.Length && pattern[at] is '?' or '+' && at < pattern.Length) at++;
        return result;
    }
}
