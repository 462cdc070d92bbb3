using System.Buffers;
using System.Text;

namespace SignupGuard.Core.Signals;

/// <summary>Which writing systems a word mixes. Mixing is how a domain is made to look like another one.</summary>
public static class Scripts
{
    [Flags]
    private enum Script
    {
        None = 0,
        Latin = 1,
        Greek = 1 << 1,
        Cyrillic = 1 << 2,
        Armenian = 1 << 3,
        Hebrew = 1 << 4,
        Arabic = 1 << 5,
        Indic = 1 << 6,
        Thai = 1 << 7,
        Georgian = 1 << 8,
        Hangul = 1 << 9,
        Ethiopic = 1 << 10,
        Kana = 1 << 11,
        Bopomofo = 1 << 12,
        Han = 1 << 13,
        Cherokee = 1 << 14,
        Other = 1 << 15,
    }

    // Blocks, not the full script property: the framework has none, and domain names use no others in practice.
    private static readonly (int From, int To, Script Script)[] Blocks =
    [
        (0x41, 0x5A, Script.Latin), (0x61, 0x7A, Script.Latin), (0xC0, 0x24F, Script.Latin), (0x250, 0x2AF, Script.Latin), (0x370, 0x3FF, Script.Greek),
        (0x400, 0x52F, Script.Cyrillic), (0x530, 0x58F, Script.Armenian), (0x590, 0x5FF, Script.Hebrew), (0x600, 0x6FF, Script.Arabic),
        (0x750, 0x77F, Script.Arabic), (0x8A0, 0x8FF, Script.Arabic), (0x900, 0xDFF, Script.Indic), (0xE00, 0xE7F, Script.Thai), (0x10A0, 0x10FF, Script.Georgian),
        (0x1100, 0x11FF, Script.Hangul), (0x1200, 0x139F, Script.Ethiopic), (0x13A0, 0x13FF, Script.Cherokee), (0x1C80, 0x1C8F, Script.Cyrillic), (0x1E00, 0x1EFF, Script.Latin),
        (0x1F00, 0x1FFF, Script.Greek), (0x2C60, 0x2C7F, Script.Latin), (0x2DE0, 0x2DFF, Script.Cyrillic), (0x3005, 0x3007, Script.Han), (0x3040, 0x30FF, Script.Kana),
        (0x3100, 0x312F, Script.Bopomofo), (0x3130, 0x318F, Script.Hangul), (0x31F0, 0x31FF, Script.Kana), (0x3400, 0x4DBF, Script.Han), (0x4E00, 0x9FFF, Script.Han),
        (0xA640, 0xA69F, Script.Cyrillic), (0xA720, 0xA7FF, Script.Latin), (0xAC00, 0xD7AF, Script.Hangul), (0xF900, 0xFAFF, Script.Han), (0x20000, 0x3FFFF, Script.Han),
    ];

    private static readonly SearchValues<char> AsciiLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // East Asian names mix these as a matter of course, Latin included (UTS #39, "highly restrictive").
    private static readonly Script[] Together =
    [
        Script.Latin | Script.Han | Script.Kana,
        Script.Latin | Script.Han | Script.Bopomofo,
        Script.Latin | Script.Han | Script.Hangul,
    ];

    /// <summary>Whether a label's letters come from scripts that no language writes together.</summary>
    public static bool Mixed(ReadOnlySpan<char> label)
    {
        var found = Script.None;
        foreach (var rune in label.EnumerateRunes())
        {
            if (Rune.IsLetter(rune)) found |= Of(rune.Value);
        }
        if ((found & (found - 1)) == 0) return false;
        foreach (var together in Together)
        {
            if ((found & ~together) == 0) return false;
        }
        return true;
    }

    /// <summary>Whether all letters are Latin; false without any letter.</summary>
    public static bool AllLatin(ReadOnlySpan<char> text)
    {
        // Most texts are; what ASCII has of letters is Latin.
        if (Ascii.IsValid(text)) return text.ContainsAny(AsciiLetters);
        var letters = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Rune.IsLetter(rune)) continue;
            if (Of(rune.Value) != Script.Latin) return false;
            letters = true;
        }
        return letters;
    }

    private static Script Of(int value)
    {
        foreach (var (from, to, script) in Blocks)
        {
            if (value >= from && value <= to) return script;
        }
        return Script.Other;
    }
}
