using System.Collections.Frozen;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>
/// Language tags by BCP 47. Two-letter languages must be assigned (ISO 639-1); of the seven thousand three-letter ones the form is checked alone.
/// </summary>
internal static class Languages
{
    private const int SubtagCharactersMax = 8;

    private const string TwoLetterCodes =
        """
        aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu
        fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky
        la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw
        sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
        iw in ji jw mo
        """;

    private static readonly FrozenSet<string> TwoLetter =
        TwoLetterCodes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>A language of two or three letters, then subtags of one to eight letters and digits.</summary>
    public static bool Has(string tag)
    {
        var end = tag.IndexOf('-', StringComparison.Ordinal);
        var language = end < 0 ? tag.AsSpan() : tag.AsSpan(0, end);
        if (!(language.Length == 3 ? AreLetters(language) : TwoLetter.GetAlternateLookup<ReadOnlySpan<char>>().Contains(language))) return false;
        if (end < 0) return true;
        foreach (var subtag in tag.AsSpan(end + 1).Split('-'))
        {
            var text = tag.AsSpan(end + 1)[subtag];
            if (text.Length is 0 or > SubtagCharactersMax || !AreLettersOrDigits(text)) return false;
        }
        return true;
    }

    private static bool AreLetters(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiLetter(character)) return false;
        }
        return true;
    }

    private static bool AreLettersOrDigits(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiLetterOrDigit(character)) return false;
        }
        return true;
    }
}
