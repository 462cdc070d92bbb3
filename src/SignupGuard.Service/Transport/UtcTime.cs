using System.Buffers.Text;

namespace SignupGuard.Service.Transport;

/// <summary>Reads times by RFC 3339 in UTC, as protobuf writes them: "2026-01-31T12:00:00Z", with up to nine digits of a second's fraction.</summary>
internal static class UtcTime
{
    private const int WholeLength = 19;
    private const int FractionDigitsMax = 9;

    /// <summary>False for every other form, some of which are times too.</summary>
    /// <param name="seconds">Unix seconds.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out long seconds, out int nanos)
    {
        (seconds, nanos) = (0, 0);
        if (text.Length <= WholeLength || text[^1] != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return false;
        if (!Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)) return false;
        if (!Digits(text[11..13], out var hour) || !Digits(text[14..16], out var minute) || !Digits(text[17..19], out var second)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return false;
        var fraction = text[WholeLength..^1];
        if (!fraction.IsEmpty)
        {
            if (fraction[0] != '.' || fraction.Length is < 2 or > FractionDigitsMax + 1 || !Digits(fraction[1..], out nanos)) return false;
            for (var digits = fraction.Length - 1; digits < FractionDigitsMax; digits++) nanos *= 10;
        }
        seconds = (new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        return !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(text, out value, out var read) && read == text.Length;
    }
}
