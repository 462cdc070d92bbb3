using System.Globalization;

namespace SignupGuard.Service.Transport;

/// <summary>Pages of lists that go from the newest entry to the oldest: the token is the number of the last entry of the page before.</summary>
internal static class PageToken
{
    public const int SizeDefault = 50;
    public const int SizeMax = 1_000;

    public static int Size(int asked) => asked == 0 ? SizeDefault : asked;

    /// <summary>Null for the first page.</summary>
    public static long? Read(string token) => token.Length == 0 ? null : long.Parse(token, NumberStyles.None, CultureInfo.InvariantCulture);

    public static bool IsToken(string token) => long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>The page's entries and the token of the next, from one entry more than the page has.</summary>
    public static (IEnumerable<T> Page, string Next) Cut<T>(IReadOnlyList<T> entries, int size, Func<T, long> number) =>
        entries.Count > size ? (entries.Take(size), number(entries[size - 1]).ToString(CultureInfo.InvariantCulture)) : (entries, "");
}
