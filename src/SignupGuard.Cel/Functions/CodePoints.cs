using System.Text;

namespace SignupGuard.Cel.Functions;

/// <summary>CEL's text is a row of code points, .NET's of UTF-16 code units: indexes are converted where a text holds surrogate pairs.</summary>
internal static class CodePoints
{
    public static int Count(string text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i])) count--;
        }
        return count;
    }

    /// <summary>Code unit offset of a code point index; -1 when the text has fewer code points.</summary>
    public static int Offset(string text, long index)
    {
        if (index < 0 || index > text.Length) return -1;
        var at = 0;
        for (var i = 0L; i < index; i++)
        {
            if (at >= text.Length) return -1;
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        }
        return at;
    }

    /// <summary>Code point index of a code unit offset.</summary>
    public static int Index(string text, int offset)
    {
        var index = offset;
        for (var i = 1; i < offset; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i])) index--;
        }
        return index;
    }

    public static string Reverse(string text)
    {
        var reversed = new StringBuilder(text.Length);
        for (var at = text.Length - 1; at >= 0; at--)
        {
            if (at > 0 && char.IsSurrogatePair(text[at - 1], text[at])) reversed.Append(text[--at]).Append(text[at + 1]);
            else reversed.Append(text[at]);
        }
        return reversed.ToString();
    }
}
