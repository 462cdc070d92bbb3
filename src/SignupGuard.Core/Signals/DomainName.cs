using System.Buffers;
using System.Globalization;

namespace SignupGuard.Core.Signals;

/// <summary>Domain names in the form they are compared in: ASCII (punycode), lower case, no dot at the end.</summary>
public static class DomainName
{
    /// <summary>Characters of a domain in ASCII.</summary>
    public const int LengthMax = 253;

    private const int LabelMax = 63;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = true };

    /// <summary>The domain in ASCII and lower case, or null when it is none. An address literal ("[192.0.2.1]") is none.</summary>
    /// <param name="requireDot">Whether a single label ("localhost") is refused.</param>
    public static string? ToAscii(ReadOnlySpan<char> domain, bool requireDot = true)
    {
        if (domain.Length > 0 && domain[^1] == '.') domain = domain[..^1];
        if (domain.IsEmpty || domain.Length > LengthMax) return null;
        if (!System.Text.Ascii.IsValid(domain))
        {
            try
            {
                return Checked(Idn.GetAscii(domain.ToString()), requireDot);
            }
            catch (ArgumentException)
            {
                // The mapping's only way to say "not a domain name".
                return null;
            }
        }
        return Checked(domain, requireDot);
    }

    /// <summary>The domain in Unicode; null when one of its labels claims to be punycode and is not.</summary>
    public static string? ToUnicode(string ascii)
    {
        try
        {
            return Idn.GetUnicode(ascii);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether an ASCII domain has labels in punycode.</summary>
    public static bool IsInternationalised(ReadOnlySpan<char> ascii) =>
        ascii.StartsWith("xn--", StringComparison.Ordinal) || ascii.Contains(".xn--", StringComparison.Ordinal);

    private static string? Checked(ReadOnlySpan<char> ascii, bool requireDot)
    {
        if (ascii.Length > LengthMax) return null;
        Span<char> lower = stackalloc char[LengthMax];
        lower = lower[..ascii.Length];
        if (System.Text.Ascii.ToLower(ascii, lower, out _) != OperationStatus.Done) return null;
        if (lower.ContainsAnyExcept(Allowed)) return null;
        var labels = 0;
        foreach (var range in ((ReadOnlySpan<char>)lower).Split('.'))
        {
            var label = lower[range];
            if (label.Length is 0 or > LabelMax || label[0] == '-' || label[^1] == '-') return null;
            labels++;
        }
        return requireDot && labels < 2 ? null : lower.ToString();
    }
}
