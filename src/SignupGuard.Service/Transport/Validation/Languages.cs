using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>
/// Language tags by BCP 47. Two-letter languages must be assigned (ISO 639-1); of the seven thousand three-letter ones the form is checked alone.
/// </summary>
internal static partial class Languages
{
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

    [GeneratedRegex("^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Tag { get; }

    public static bool Has(string tag)
    {
        if (!Tag.IsMatch(tag)) return false;
        var end = tag.IndexOf('-', StringComparison.Ordinal);
        var language = end < 0 ? tag : tag[..end];
        return language.Length == 3 || TwoLetter.Contains(language);
    }
}
