using System.Text.Json;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Texts that many signups share and that are nobody's own (a user agent, a product): one string for all of them. Bounded: each has one
/// place by its hash, and the later of two that fall on one place stays. Thread-safe.
/// </summary>
internal static class CommonTexts
{
    /// <summary>Texts kept; a power of two.</summary>
    private const int TextsMax = 8_192;

    /// <summary>Longest text kept, in bytes as written: with <see cref="TextsMax"/> at most 8 MiB in all, and in operation a tenth of it.</summary>
    private const int BytesMax = 320;

    private static readonly Text?[] Known = new Text?[TextsMax];

    /// <summary>The text or property name the reader stands on.</summary>
    /// <param name="common">Never for personal data.</param>
    /// <exception cref="InvalidOperationException">The text is no Unicode.</exception>
    public static string Read(ref Utf8JsonReader json, bool common)
    {
        // As written, escapes included: alike bytes are alike text.
        var written = json.ValueSpan;
        if (!common || written.Length > BytesMax) return json.GetString()!;
        var hash = new HashCode();
        hash.AddBytes(written);
        ref var place = ref Known[hash.ToHashCode() & (TextsMax - 1)];
        // Entries are immutable and replaced as a whole: another thread's is as good.
        if (Volatile.Read(ref place) is { } known && written.SequenceEqual(known.Written)) return known.Value;
        var text = new Text(written.ToArray(), json.GetString()!);
        Volatile.Write(ref place, text);
        return text.Value;
    }

    private sealed record Text(byte[] Written, string Value);
}
