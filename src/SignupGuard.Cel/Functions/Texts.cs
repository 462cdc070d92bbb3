using System.Text;

namespace SignupGuard.Cel.Functions;

/// <summary>Functions of text, CEL's strings extension among them. Indexes are code points.</summary>
internal static class Texts
{
    /// <summary>Searching costs at most the product of both lengths, this much of it for one unit of work.</summary>
    private const int SearchPerWork = 512;

    private delegate CelValue OfTwo(ref Meter meter, string text, string other);

    private static bool CanSearch(ref Meter meter, string text, string sought) => meter.Spend(((long)text.Length * sought.Length / SearchPerWork) + 1);

    private static CelValue Two(ref Meter meter, ReadOnlySpan<CelValue> arguments, OfTwo apply)
    {
        if (arguments[0].Text is not { } text || arguments[1].Text is not { } other) return Errors.NoOverload;
        return CanSearch(ref meter, text, other) ? apply(ref meter, text, other) : Errors.TooMuchWork;
    }

    public static CelValue Contains(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        Two(ref meter, arguments, static (ref Meter _, string text, string other) => CelValue.From(text.Contains(other, StringComparison.Ordinal)));

    public static CelValue StartsWith(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        Two(ref meter, arguments, static (ref Meter _, string text, string other) => CelValue.From(text.StartsWith(other, StringComparison.Ordinal)));

    public static CelValue EndsWith(ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
        Two(ref meter, arguments, static (ref Meter _, string text, string other) => CelValue.From(text.EndsWith(other, StringComparison.Ordinal)));

    public static CelValue LowerAscii(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Map(ref meter, arguments, static text =>
        string.Create(text.Length, text, static (span, from) => { for (var i = 0; i < span.Length; i++) span[i] = char.IsAsciiLetterUpper(from[i]) ? (char)(from[i] | 0x20) : from[i]; }));

    public static CelValue UpperAscii(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Map(ref meter, arguments, static text =>
        string.Create(text.Length, text, static (span, from) => { for (var i = 0; i < span.Length; i++) span[i] = char.IsAsciiLetterLower(from[i]) ? (char)(from[i] & ~0x20) : from[i]; }));

    public static CelValue Trim(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Map(ref meter, arguments, static text => text.Trim());

    public static CelValue Reverse(ref Meter meter, ReadOnlySpan<CelValue> arguments) => Map(ref meter, arguments, CodePoints.Reverse);

    private static CelValue Map(ref Meter meter, ReadOnlySpan<CelValue> arguments, Func<string, string> apply)
    {
        if (arguments[0].Text is not { } text) return Errors.NoOverload;
        return text.Length > meter.BuiltMax ? Errors.TooLarge : meter.Built(apply(text));
    }

    public static CelValue CharAt(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || !arguments[1].IsBits(CelKind.Int, out var index)) return Errors.NoOverload;
        if (!meter.Spend(text.Length)) return Errors.TooMuchWork;
        var at = CodePoints.Offset(text, index);
        if (at < 0) return Errors.IndexOutOfRange;
        if (at == text.Length) return CelValue.From("");
        return CelValue.From(text.Substring(at, at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1));
    }

    public static CelValue IndexOf(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || arguments[1].Text is not { } sought) return Errors.NoOverload;
        var from = 0L;
        if (arguments.Length > 2 && !arguments[2].IsBits(CelKind.Int, out from)) return Errors.NoOverload;
        if (!meter.Spend(text.Length) || !CanSearch(ref meter, text, sought)) return Errors.TooMuchWork;
        var start = CodePoints.Offset(text, from);
        if (start < 0) return Errors.IndexOutOfRange;
        var found = text.IndexOf(sought, start, StringComparison.Ordinal);
        return CelValue.From(found < 0 ? -1L : CodePoints.Index(text, found));
    }

    public static CelValue LastIndexOf(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || arguments[1].Text is not { } sought) return Errors.NoOverload;
        var last = (long)CodePoints.Count(text);
        if (arguments.Length > 2 && !arguments[2].IsBits(CelKind.Int, out last)) return Errors.NoOverload;
        if (!meter.Spend(text.Length) || !CanSearch(ref meter, text, sought)) return Errors.TooMuchWork;
        var end = CodePoints.Offset(text, last);
        if (end < 0) return Errors.IndexOutOfRange;
        var found = text.AsSpan(0, (int)Math.Min(text.Length, (long)end + sought.Length)).LastIndexOf(sought);
        return CelValue.From(found < 0 ? -1L : CodePoints.Index(text, found));
    }

    public static CelValue Substring(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || !arguments[1].IsBits(CelKind.Int, out var from)) return Errors.NoOverload;
        if (!meter.Spend(text.Length)) return Errors.TooMuchWork;
        var (start, end) = (CodePoints.Offset(text, from), text.Length);
        if (arguments.Length > 2)
        {
            if (!arguments[2].IsBits(CelKind.Int, out var to)) return Errors.NoOverload;
            end = CodePoints.Offset(text, to);
        }
        return start < 0 || end < start ? Errors.IndexOutOfRange : meter.Built(text[start..end]);
    }

    public static CelValue Replace(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || arguments[1].Text is not { } old || arguments[2].Text is not { } replacement) return Errors.NoOverload;
        var limit = -1L;
        if (arguments.Length > 3 && !arguments[3].IsBits(CelKind.Int, out limit)) return Errors.NoOverload;
        if (!CanSearch(ref meter, text, old)) return Errors.TooMuchWork;
        var built = new StringBuilder();
        var at = 0;
        for (var replaced = 0L; limit < 0 || replaced < limit; replaced++)
        {
            // An empty text is found before every character and at the end.
            var found = old.Length > 0 ? text.IndexOf(old, at, StringComparison.Ordinal) : replaced == 0 ? 0 : at + Step(text, at);
            if (found < 0 || found > text.Length || (old.Length == 0 && replaced > 0 && at == text.Length)) break;
            built.Append(text, at, found - at).Append(replacement);
            at = found + old.Length;
            if (built.Length > meter.BuiltMax) return Errors.TooLarge;
        }
        if (built.Length + text.Length - at > meter.BuiltMax) return Errors.TooLarge;
        return meter.Built(built.Append(text, at, text.Length - at).ToString());
    }

    private static int Step(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;

    public static CelValue Split(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text || arguments[1].Text is not { } separator) return Errors.NoOverload;
        var limit = -1L;
        if (arguments.Length > 2 && !arguments[2].IsBits(CelKind.Int, out limit)) return Errors.NoOverload;
        if (!CanSearch(ref meter, text, separator)) return Errors.TooMuchWork;
        if (2 * text.Length > meter.BuiltMax) return Errors.TooLarge;
        var parts = new List<CelValue>();
        var at = 0;
        while (limit < 0 || parts.Count < limit - 1)
        {
            var found = separator.Length > 0 ? text.IndexOf(separator, at, StringComparison.Ordinal) : at < text.Length ? at + Step(text, at) : -1;
            if (found < 0 || (separator.Length == 0 && found >= text.Length)) break;
            parts.Add(CelValue.From(text[at..found]));
            at = found + separator.Length;
        }
        if (limit != 0 && !(separator.Length == 0 && text.Length == 0)) parts.Add(CelValue.From(text[at..]));
        return meter.Built(CelValue.From(parts.ToArray()));
    }

    public static CelValue Join(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Kind != CelKind.List) return Errors.NoOverload;
        var separator = "";
        if (arguments.Length > 1)
        {
            if (arguments[1].Text is not { } given) return Errors.NoOverload;
            separator = given;
        }
        var list = arguments[0].AsList();
        var built = new StringBuilder();
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i].Text is not { } item) return Errors.NoOverload;
            if (i > 0) built.Append(separator);
            if (built.Length + item.Length > meter.BuiltMax) return Errors.TooLarge;
            built.Append(item);
        }
        return meter.Built(built.ToString());
    }

    public static CelValue Quote(ref Meter meter, ReadOnlySpan<CelValue> arguments)
    {
        if (arguments[0].Text is not { } text) return Errors.NoOverload;
        if (text.Length > meter.BuiltMax) return Errors.TooLarge;
        const string Escaped = "\a\b\f\n\r\t\v\\\"";
        const string Letters = "abfnrtv\\\"";
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
        {
            var at = rune.IsBmp ? Escaped.IndexOf((char)rune.Value, StringComparison.Ordinal) : -1;
            if (at >= 0) quoted.Append('\\').Append(Letters[at]);
            else quoted.Append(rune.ToString());
        }
        return meter.Built(quoted.Append('"').ToString());
    }
}
