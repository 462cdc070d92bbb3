using System.Buffers;
using System.Globalization;
using System.Text;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Signals;

/// <summary>Comparing people's names as they are written in different places: without case, accents and punctuation.</summary>
public static class PersonName
{
    /// <summary>Shorter parts say nothing: "li" is in every other address.</summary>
    private const int PartMin = 3;

    private const int AsciiMax = 256;

    /// <summary>Letters that no decomposition takes apart, as people spell them in addresses.</summary>
    private static readonly Dictionary<char, string> Spelled = new()
    {
        ['ß'] = "ss",
        ['ø'] = "o",
        ['æ'] = "ae",
        ['œ'] = "oe",
        ['ł'] = "l",
        ['đ'] = "d",
        ['ð'] = "d",
        ['þ'] = "th",
        ['ı'] = "i",
    };

    /// <summary>Letters with two dots as German spells them without: Müller is mueller as often as muller.</summary>
    private static readonly Dictionary<char, string> Umlauts = new()
    {
        ['ä'] = "ae",
        ['ö'] = "oe",
        ['ü'] = "ue",
    };

    private static readonly SearchValues<char> UmlautLetters = SearchValues.Create("äöüÄÖÜ");

    /// <summary>Lower case, accents off, letters and digits only, the other characters as single spaces between parts.</summary>
    public static string Fold(string name) => Ascii.IsValid(name) && name.Length <= AsciiMax ? FoldAscii(name) : FoldUnicode(name, umlauts: false);

    private static string FoldAscii(string name)
    {
        Span<char> folded = stackalloc char[AsciiMax];
        var length = 0;
        foreach (var character in name)
        {
            if (char.IsAsciiLetterOrDigit(character)) folded[length++] = char.ToLowerInvariant(character);
            // O'Brien and Jean-Luc: the apostrophe joins, the rest separates.
            else if (character is not ('\'' or '`') && length > 0 && folded[length - 1] != ' ') folded[length++] = ' ';
        }
        if (length > 0 && folded[length - 1] == ' ') length--;
        return folded[..length].SequenceEqual(name) ? name : folded[..length].ToString();
    }

    private static string FoldUnicode(string name, bool umlauts)
    {
        var folded = new StringBuilder(name.Length);
        var text = umlauts ? Spell(name) : name;
        foreach (var character in Normalised(text))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark) continue;
            var lower = char.ToLowerInvariant(character);
            if (Spelled.TryGetValue(lower, out var spelled)) folded.Append(spelled);
            else if (char.IsLetterOrDigit(lower) || char.IsSurrogate(lower)) folded.Append(lower);
            else if (lower is not ('\'' or '’' or '`') && folded.Length > 0 && folded[^1] != ' ') folded.Append(' ');
        }
        if (folded.Length > 0 && folded[^1] == ' ') folded.Length--;
        return folded.ToString();
    }

    private static string Spell(string name)
    {
        var spelled = new StringBuilder(name.Length + 4);
        foreach (var character in name)
        {
            if (Umlauts.TryGetValue(char.ToLowerInvariant(character), out var pair)) spelled.Append(pair);
            else spelled.Append(character);
        }
        return spelled.ToString();
    }

    /// <summary>
    /// Whether an address's local part holds the given or family name; null without a name, or when the name is in letters that the
    /// address can't show.
    /// </summary>
    public static bool? InLocalPart(Subject subject, string local)
    {
        bool? found = null;
        var latin = Scripts.AllLatin(local);
        var folded = Fold(local);
        if (folded.Contains(' ', StringComparison.Ordinal)) folded = folded.Replace(" ", "", StringComparison.Ordinal);
        foreach (var name in (ReadOnlySpan<string?>)[subject.GivenName, subject.FamilyName, subject.FullName])
        {
            if (name is null) continue;
            found = Holds(folded, Fold(name), latin) ?? found;
            if (found == true) return true;
            if (name.AsSpan().ContainsAny(UmlautLetters) && Holds(folded, FoldUnicode(name, umlauts: true), latin) == true) return true;
        }
        return found;
    }

    private static bool? Holds(string local, string name, bool latin)
    {
        bool? found = null;
        foreach (var range in name.AsSpan().Split(' '))
        {
            var part = name.AsSpan(range);
            if (part.Length < PartMin || (latin && !Scripts.AllLatin(part))) continue;
            if (local.AsSpan().Contains(part, StringComparison.Ordinal)) return true;
            found = false;
        }
        return found;
    }

    /// <summary>
    /// Whether the name on a card is the subject's: the family name is on it, or, where only a full name is known, its last part.
    /// Null when either is missing or they are in different scripts.
    /// </summary>
    public static bool? HolderMatches(Subject subject, string? holder)
    {
        if (holder is null) return null;
        var card = Fold(holder);
        if (card.Length == 0) return null;
        var family = Fold(subject.FamilyName ?? "");
        // Without a family name any part of the full name but initials will do: the order of names differs between countries.
        var wanted = family.Length > 0 ? family : Fold(subject.FullName ?? "");
        if (wanted.Length == 0 || Latin(wanted) != Latin(card)) return null;
        // "de la Cruz": the particles are on many cards.
        var shortest = HasPartOf(wanted, PartMin) ? PartMin : 1;
        foreach (var range in wanted.AsSpan().Split(' '))
        {
            var part = wanted.AsSpan(range);
            if (part.Length >= shortest && HasPart(card, part)) return true;
        }
        return false;
    }

    private static bool Latin(ReadOnlySpan<char> name)
    {
        foreach (var range in name.Split(' '))
        {
            if (!Scripts.AllLatin(name[range])) return false;
        }
        return true;
    }

    private static bool HasPartOf(ReadOnlySpan<char> name, int length)
    {
        foreach (var range in name.Split(' '))
        {
            if (name[range].Length >= length) return true;
        }
        return false;
    }

    private static bool HasPart(ReadOnlySpan<char> name, ReadOnlySpan<char> part)
    {
        foreach (var range in name.Split(' '))
        {
            if (name[range].SequenceEqual(part)) return true;
        }
        return false;
    }

    private static string Normalised(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormKD);
        }
        catch (ArgumentException)
        {
            // Unpaired surrogates cannot be normalised; they are compared as they are.
            return text;
        }
    }
}
