using System.Buffers;
using System.Security.Cryptography;

namespace SignupGuard.Storage.Screening;

/// <summary>The code an applicant may be shown: random, so it tells nothing; without letters that look alike.</summary>
public static class OutwardCode
{
    private const string Alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

    private static readonly SearchValues<char> Letters = SearchValues.Create(Alphabet);

    /// <summary>10 characters of 32: 50 bits, enough that codes can't be guessed and clash once in 30 million signups.</summary>
    public const int Length = 10;

    public static string Create() => RandomNumberGenerator.GetString(Alphabet, Length);

    /// <summary>The code that a person means: case, spaces and hyphens do not matter.</summary>
    /// <returns>Null for what can be none.</returns>
    public static string? Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var code = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
        return code.Length == Length && !code.AsSpan().ContainsAnyExcept(Letters) ? code : null;
    }
}
