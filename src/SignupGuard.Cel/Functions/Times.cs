using System.Buffers;
using System.Globalization;
using System.Text;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Functions;

/// <summary>Timestamps (years 1 to 9999) and durations (64 bits of nanoseconds, 292 years either way).</summary>
internal static class Times
{
    public const long NanosecondsPerSecond = 1_000_000_000;

    private const long SecondsMin = -62_135_596_800; // 0001-01-01
    private const long SecondsMax = 253_402_300_799; // 9999-12-31T23:59:59
    private const int TextLengthMax = 64;

    /// <summary>Looking up a zone that the system does not know goes to its files.</summary>
    private const int ZoneWork = 500;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    public static CelValue Apply(Operator symbol, in CelValue left, in CelValue right) => (symbol, left.Kind, right.Kind) switch
    {
        (Operator.Add, CelKind.Duration, CelKind.Duration) => Duration((Int128)left.AsNanoseconds() + right.AsNanoseconds()),
        (Operator.Subtract, CelKind.Duration, CelKind.Duration) => Duration((Int128)left.AsNanoseconds() - right.AsNanoseconds()),
        (Operator.Add, CelKind.Timestamp, CelKind.Duration) => Timestamp(Nanoseconds(left) + right.AsNanoseconds()),
        (Operator.Add, CelKind.Duration, CelKind.Timestamp) => Timestamp(Nanoseconds(right) + left.AsNanoseconds()),
        (Operator.Subtract, CelKind.Timestamp, CelKind.Duration) => Timestamp(Nanoseconds(left) - right.AsNanoseconds()),
        (Operator.Subtract, CelKind.Timestamp, CelKind.Timestamp) => Duration(Nanoseconds(left) - Nanoseconds(right)),
        _ => Errors.NoOverload,
    };

    private static Int128 Nanoseconds(in CelValue timestamp) => ((Int128)timestamp.AsUnix().Seconds * NanosecondsPerSecond) + timestamp.AsUnix().Nanoseconds;

    private static CelValue Duration(Int128 nanoseconds) =>
        nanoseconds < long.MinValue || nanoseconds > long.MaxValue ? Errors.OutOfRange : CelValue.FromNanoseconds((long)nanoseconds);

    private static CelValue Timestamp(Int128 nanoseconds)
    {
        var seconds = nanoseconds / NanosecondsPerSecond;
        var rest = (int)(nanoseconds % NanosecondsPerSecond);
        if (rest < 0) (seconds, rest) = (seconds - 1, rest + (int)NanosecondsPerSecond);
        return seconds < SecondsMin || seconds > SecondsMax ? Errors.OutOfRange : CelValue.FromUnix((long)seconds, rest);
    }

    public static CelValue ToDuration(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Duration => arguments[0],
        CelKind.String => ParseDuration(arguments[0].AsString()),
        _ => Errors.NoOverload,
    };

    public static CelValue ToTimestamp(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Timestamp => arguments[0],
        CelKind.String => ParseTimestamp(arguments[0].AsString()),
        CelKind.Int => Timestamp((Int128)arguments[0].AsInt() * NanosecondsPerSecond),
        _ => Errors.NoOverload,
    };

    /// <summary>Reads "1h30m", "-2.5s", "100ms" (units h, m, s, ms, us, ns).</summary>
    public static CelValue ParseDuration(string text)
    {
        var rest = text.AsSpan();
        if (rest.Length > TextLengthMax) return Errors.NotDuration;
        var isNegative = rest.StartsWith("-");
        if (isNegative || rest.StartsWith("+")) rest = rest[1..];
        if (rest is "0") return CelValue.FromNanoseconds(0);
        if (rest.IsEmpty) return Errors.NotDuration;
        var total = (Int128)0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits is <= 0 or > 25 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)) return Errors.NotDuration;
            rest = rest[digits..];
            var next = rest.IndexOfAnyInRange('0', '9');
            var unit = next < 0 ? rest : rest[..next];
            var scale = unit switch
            {
                "h" => 3_600 * NanosecondsPerSecond,
                "m" => 60 * NanosecondsPerSecond,
                "s" => NanosecondsPerSecond,
                "ms" => 1_000_000,
                "us" or "µs" or "μs" => 1_000,
                "ns" => 1,
                _ => 0,
            };
            if (scale == 0) return Errors.NotDuration;
            if (amount > 1e15m) return Errors.OutOfRange;
            total += (Int128)(amount * scale);
            rest = rest[unit.Length..];
        }
        return Duration(isNegative ? -total : total);
    }

    /// <summary>Reads RFC 3339: 2026-01-31T23:59:59.123456789+02:00, with Z for UTC.</summary>
    public static CelValue ParseTimestamp(string text)
    {
        var span = text.AsSpan();
        if (span.Length is < 20 or > TextLengthMax || span[4] != '-' || span[7] != '-' || span[10] is not ('T' or 't') || span[13] != ':' || span[16] != ':') return Errors.NotTimestamp;
        if (!Digits(span[..4], out var year) || !Digits(span.Slice(5, 2), out var month) || !Digits(span.Slice(8, 2), out var day)
            || !Digits(span.Slice(11, 2), out var hour) || !Digits(span.Slice(14, 2), out var minute) || !Digits(span.Slice(17, 2), out var second)) return Errors.NotTimestamp;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return Errors.NotTimestamp;
        var rest = span[19..];
        var nanoseconds = 0;
        if (rest[0] == '.')
        {
            var end = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (end is < 1 or > 9 || !Digits(rest.Slice(1, end), out var fraction)) return Errors.NotTimestamp;
            for (var i = end; i < 9; i++) fraction *= 10;
            nanoseconds = fraction;
            rest = rest[(end + 1)..];
        }
        if (!Offset(rest, out var offset)) return Errors.NotTimestamp;
        var local = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc);
        var seconds = ((local.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond) - (long)offset.TotalSeconds;
        return seconds is < SecondsMin or > SecondsMax ? Errors.OutOfRange : CelValue.FromUnix(seconds, nanoseconds);
    }

    private static bool Digits(ReadOnlySpan<char> text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Z, or ±hh:mm.</summary>
    private static bool Offset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (text is "Z" or "z") return true;
        return text.Length == 6 && text[0] is '+' or '-' && Zone(text, out offset);
    }

    /// <summary>±hh:mm or hh:mm.</summary>
    private static bool Zone(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        var isNegative = text.StartsWith("-");
        if (isNegative || text.StartsWith("+")) text = text[1..];
        if (text.Length != 5 || text[2] != ':' || !Digits(text[..2], out var hours) || !Digits(text[3..], out var minutes) || hours > 23 || minutes > 59) return false;
        offset = new TimeSpan(isNegative ? -hours : hours, isNegative ? -minutes : minutes, 0);
        return true;
    }

    public static string Text(in CelValue timestamp)
    {
        var (seconds, nanoseconds) = timestamp.AsUnix();
        var text = new DateTime(DateTime.UnixEpoch.Ticks + (seconds * TimeSpan.TicksPerSecond), DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        return $"{text}{Fraction(nanoseconds)}Z";
    }

    /// <summary>Seconds with their fraction: 6347s, 0.5s.</summary>
    public static string Text(long nanoseconds)
    {
        var magnitude = nanoseconds < 0 ? (ulong)-(nanoseconds + 1) + 1 : (ulong)nanoseconds;
        var (seconds, rest) = Math.DivRem(magnitude, (ulong)NanosecondsPerSecond);
        return $"{(nanoseconds < 0 ? "-" : "")}{seconds.ToString(CultureInfo.InvariantCulture)}{Fraction((int)rest)}s";
    }

    private static string Fraction(int nanoseconds) => nanoseconds == 0 ? "" : $".{nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0')}";

    /// <summary>The getters of a timestamp, in UTC or in the zone given, and those of a duration.</summary>
    public static Builtin Getter(Func<DateTime, long> ofTime, long durationUnit = 0) => (ref Meter meter, ReadOnlySpan<CelValue> arguments) =>
    {
        var value = arguments[0];
        if (value.Kind == CelKind.Duration && arguments.Length == 1 && durationUnit != 0) return CelValue.From(value.AsNanoseconds() / durationUnit);
        if (value.Kind != CelKind.Timestamp) return Errors.NoOverload;
        if (arguments.Length == 1) return CelValue.From(ofTime(Local(value, TimeSpan.Zero)));
        if (arguments[1].Text is not { } zone) return Errors.NoOverload;
        if (!meter.Spend(ZoneWork)) return Errors.TooMuchWork;
        if (!TryOffset(zone, value, out var offset)) return Errors.NotTimeZone;
        return CelValue.From(ofTime(Local(value, offset)));
    };

    /// <summary>Milliseconds: of a timestamp those of its second, of a duration likewise.</summary>
    public static CelValue Milliseconds(ref Meter meter, ReadOnlySpan<CelValue> arguments) => arguments[0].Kind switch
    {
        CelKind.Timestamp => CelValue.From(arguments[0].AsUnix().Nanoseconds / 1_000_000L),
        CelKind.Duration => CelValue.From(arguments[0].AsNanoseconds() % NanosecondsPerSecond / 1_000_000L),
        _ => Errors.NoOverload,
    };

    private static DateTime Local(in CelValue timestamp, TimeSpan offset)
    {
        var seconds = timestamp.AsUnix().Seconds + (long)offset.TotalSeconds;
        return new DateTime(DateTime.UnixEpoch.Ticks + (Math.Clamp(seconds, SecondsMin, SecondsMax) * TimeSpan.TicksPerSecond), DateTimeKind.Unspecified);
    }

    /// <summary>Offset of a zone (IANA name, or ±hh:mm) at a time.</summary>
    public static bool TryOffset(string zone, in CelValue at, out TimeSpan offset)
    {
        if (Zone(zone, out offset)) return true;
        if (!IsZoneName(zone) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)) return false;
        offset = found.GetUtcOffset(Local(at, TimeSpan.Zero).ToUniversalTimeKind());
        return true;
    }

    private static DateTime ToUniversalTimeKind(this DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);

    /// <summary>Only names as the time-zone database writes them reach the system's look-up, which reads files.</summary>
    private static bool IsZoneName(string zone) =>
        zone.Length is > 0 and <= TextLengthMax && char.IsAsciiLetter(zone[0]) && zone.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+');
}
