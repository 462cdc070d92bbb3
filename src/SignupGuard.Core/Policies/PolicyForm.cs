using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SignupGuard.Core.Policies;

/// <summary>
/// What a policy document may be made of, checked on the stream of YAML's events before anything is built from it: a bounded depth, no anchors (a few
/// lines of them expand to any size), no types chosen by the document, one document, and no characters that hide what a person reads.
/// </summary>
internal static class PolicyForm
{
    /// <summary>Maps and lists inside one another; a policy has five.</summary>
    public const int DepthMax = 16;

    /// <summary>Labels of one rule, and obligations.</summary>
    public const int WordsMax = 16;

    public const int WordCharactersMax = 64;

    public static string WordsForm { get; } = $"At most {WordsMax} words of 1 to {WordCharactersMax} letters, digits and _ - : . /";

    /// <summary>The first thing that is wrong; null when there is nothing. Bounded by the document's length; never throws for any text.</summary>
    public static (long Line, string Message)? Check(string yaml)
    {
        // A byte-order mark may begin a document.
        var start = yaml.StartsWith('\uFEFF') ? 1 : 0;
        if (Hidden(yaml.AsSpan(start)) is { } hidden) return (yaml.AsSpan(0, start + hidden).Count('\n') + 1, HiddenMessage);
        try
        {
            var parser = new Parser(new StringReader(yaml));
            var (depth, documents) = (0, 0);
            while (parser.MoveNext())
            {
                var line = parser.Current!.Start.Line;
                depth += parser.Current.NestingIncrease;
                if (parser.Current is AnchorAlias) return (line, "Aliases are no part of a policy: write it out.");
                if (parser.Current is NodeEvent { Anchor.IsEmpty: false }) return (line, "Anchors are no part of a policy: write it out.");
                if (parser.Current is NodeEvent { Tag.IsEmpty: false }) return (line, "Tags are no part of a policy: what a value is follows from where it stands.");
                if (parser.Current is DocumentStart && ++documents > 1) return (line, "A policy is one document.");
                if (parser.Current is Scalar scalar && Hidden(scalar.Value.AsSpan()) is not null) return (line, HiddenMessage);
                // The stream and the document are a step each.
                if (depth > DepthMax + 2) return (line, $"At most {DepthMax} maps and lists inside one another.");
            }
            return null;
        }
        catch (YamlException problem)
        {
            return (problem.Start.Line, problem.Message);
        }
        catch (Exception problem) when (problem is ArgumentException or FormatException or InvalidOperationException or OverflowException)
        {
            // Some malformed documents fail inside the YAML library without its own kind of exception.
            return (1, problem.Message);
        }
    }

    /// <summary>Labels and obligations are words that programs read.</summary>
    public static bool AreWords(IReadOnlyList<string> words) =>
        words.Count <= WordsMax && words.All(word => word is { Length: > 0 and <= WordCharactersMax } && word.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-' or ':' or '.' or '/'));

    private const string HiddenMessage = "A character that can't be seen: control characters, and those that turn the direction of text, hide what a rule says. In an expression write it as \\uXXXX.";

    /// <summary>Where the first character is that can't be seen; null where there is none.</summary>
    private static int? Hidden(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (character is (>= ' ' and < '\u007f') or '\n' or '\r' or '\t') continue;
            Rune.DecodeFromUtf16(text[i..], out var rune, out var length);
            // Half of a surrogate pair is decoded as the replacement character, too.
            if (char.IsSurrogate(character) && length == 1) return i;
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) return i;
            i += length - 1;
        }
        return null;
    }
}
