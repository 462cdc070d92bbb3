using System.Globalization;
using System.Text;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Signals;

/// <summary>Comparing people's names as they are written in different places: without case, accents and punctuation.</summary>
public static class PersonName
{
    /// <summary>Shorter parts say nothing: "li" is in every other address.</summary>
    private const int PartMin = 3;

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

    /// <summary>Lower case, accents off, letters and digits only, the other characters as single spaces between parts.</summary>
    public static string Fold(string name)
    {
        if (IsPlain(name)) return name;
        var folded = new StringBuilder(name.Length);
        foreach (var character in Normalised(name))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark) continue;
            var lower = char.ToLowerInvariant(character);
            if (Spelled.TryGetValue(lower, out var spelled)) folded.Append(spelled);
            else if (char.IsLetterOrDigit(lower) || char.IsSurrogate(lower)) folded.Append(lower);
            // O'Brien and Jean-Luc: the apostrophe joins, the rest separates.
            else if (lower is not ('\'' or '’' or '`') && folded.Length > 0 && folded[^1] != ' ') folded.Append(' ');
        }
        if (folded.Length > 0 && folded[^1] == ' ') folded.Length--;
        return folded.ToString();
    }

    /// <summary>
    /// Whether an address's local part holds the given or family name; null without a name, or when the name is in letters that the
    /// address can't show.
    /// </summary>
    public static bool? InLocalPart(Subject subject, string local)
    {
        bool? found = null;
        Span<string?> names = [subject.GivenName, subject.FamilyName, subject.FullName];
        var latinLocal = Scripts.AllLatin(local);
        var foldedLocal = Fold(local).Replace(" ", "", StringComparison.Ordinal);
        foreach (var name in names)
        {
            if (name is null) continue;
            var folded = Fold(name);
            foreach (var range in folded.AsSpan().Split(' '))
            {
                var part = folded.AsSpan(range);
                if (part.Length < PartMin || (latinLocal && !Scripts.AllLatin(part))) continue;
                if (foldedLocal.AsSpan().Contains(part, StringComparison.Ordinal)) return true;
                found = false;
            }
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
        if (wanted.Length == 0 || Scripts.AllLatin(wanted.Replace(" ", "", StringComparison.Ordinal)) != Scripts.AllLatin(card.Replace(" ", "", StringComparison.Ordinal))) return null;
        foreach (var range in wanted.AsSpan().Split(' '))
        {
            var part = wanted.AsSpan(range);
            if (part.Length > 1 && HasPart(card, part)) return true;
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

    private static bool IsPlain(string name)
    {
        foreach (var character in name)
        {
            if (character is not (>= 'a' and <= 'z' or >= '0' and <= '9')) return false;
        }
        return true;
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
