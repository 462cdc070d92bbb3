using System.Collections.Frozen;
using System.Text;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.People;

/// <summary>A name as written and as it goes into an e-mail address (lower case, ASCII letters).</summary>
internal sealed record Name(string Written, string Plain);

/// <summary>Given and family names by culture, most common first.</summary>
internal static class Names
{
    /// <summary>Softness of the popularity curve: the tenth name is about half as common as the first.</summary>
    private const double Softness = 9;

    // Own table: the platform's normalisation needs ICU, which may be missing.
    private static readonly FrozenDictionary<char, string> Letters = new (string Letters, string Plain)[]
        {
            ("àáâãäåăąạảấầẩẫậắằẳẵặ", "a"),
            ("çćč", "c"),
            ("đď", "d"),
            ("èéêëęěẹẻẽếềểễệ", "e"),
            ("ğ", "g"),
            ("ìíîïıĩịỉİ", "i"),
            ("łľ", "l"),
            ("ñńň", "n"),
            ("òóôõöøơọỏốồổỗộớờởỡợ", "o"),
            ("ř", "r"),
            ("śşš", "s"),
            ("ţť", "t"),
            ("ùúûüůưụủũứừửữự", "u"),
            ("ýÿỳỵỷỹ", "y"),
            ("źżž", "z"),
            ("ß", "ss"),
            ("æ", "ae"),
        }
        .SelectMany(pair => pair.Letters.Select(letter => (letter, pair.Plain)))
        .ToFrozenDictionary(pair => pair.letter, pair => pair.Plain);

    private static readonly FrozenDictionary<string, (Name[] Given, Name[] Family)> ByCulture = Read();

    public static Name Given(RandomSource random, string culture)
    {
        var names = ByCulture[culture].Given;
        return names[random.Rank(names.Length, Softness)];
    }

    public static Name Family(RandomSource random, string culture)
    {
        var names = ByCulture[culture].Family;
        return names[random.Rank(names.Length, Softness)];
    }

    /// <summary>Lower-case ASCII letters and digits of a text, accents taken off as people do when they pick an address; the rest is dropped.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text.ToLowerInvariant())
        {
            if (c is >= 'a' and <= 'z' or >= '0' and <= '9') plain.Append(c);
            else if (Letters.TryGetValue(c, out var letters)) plain.Append(letters);
        }
        return plain.ToString();
    }

    private static FrozenDictionary<string, (Name[] Given, Name[] Family)> Read()
    {
        var given = new Dictionary<string, Name[]>(StringComparer.Ordinal);
        var family = new Dictionary<string, Name[]>(StringComparer.Ordinal);
        string? culture = null, part = null;
        foreach (var line in Resource.Lines("names.txt"))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is [var c, "given" or "family"])
            {
                (culture, part) = (c, words[1]);
                continue;
            }
            (part == "given" ? given : family)[culture!] = [.. words.Distinct(StringComparer.Ordinal).Select(word => Make(word.Replace('_', ' '), culture!))];
        }
        return given.Keys.ToFrozenDictionary(key => key, key => (given[key], family[key]), StringComparer.Ordinal);
    }

    private static Name Make(string written, string culture)
    {
        if (culture != "de") return new Name(written, Plain(written));
        var spelled = written
            .Replace("ä", "ae", StringComparison.Ordinal)
            .Replace("ö", "oe", StringComparison.Ordinal)
            .Replace("ü", "ue", StringComparison.Ordinal);
        return new Name(written, Plain(spelled));
    }
}
