using FluentValidation;
using FluentValidation.Results;
using Google.Protobuf.WellKnownTypes;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds that many fields share. An empty string is an absent one and passes; no message repeats a value.</summary>
internal static class Rules
{
    /// <summary>Seconds of 2000-01-01T00:00:00Z: nothing in this product is older.</summary>
    public const long EarliestUnixSeconds = 946_684_800;

    /// <summary>Seconds of 1985-01-01T00:00:00Z, the year of the first registered domains.</summary>
    public const long FirstDomainUnixSeconds = 473_385_600;

    /// <summary>How far a caller's clock may run ahead of the service's.</summary>
    public static readonly TimeSpan ClockSkewMax = TimeSpan.FromMinutes(5);

    /// <summary>Seconds of 9999-12-31T23:59:59Z.</summary>
    private const long LatestUnixSeconds = 253_402_300_799;

    /// <summary>Seconds of 0001-01-01T00:00:00Z.</summary>
    private const long FirstUnixSeconds = -62_135_596_800;

    private const int NanosPerSecond = 1_000_000_000;
    private const char SurrogatesFirst = '\ud800';
    private const char SurrogatesLast = '\udfff';

    /// <summary>Present: not empty, not unset, not the unspecified value.</summary>
    public static IRuleBuilderOptions<T, TValue> Required<T, TValue>(this IRuleBuilder<T, TValue> rule) =>
        rule.NotEmpty().WithErrorCode(ViolationCode.Required).WithMessage("Needed.");

    /// <summary>At most so many UTF-16 code units, none of them NUL or half of a surrogate pair.</summary>
    public static IRuleBuilderOptionsConditions<T, string> Text<T>(this IRuleBuilder<T, string> rule, int charactersMax) =>
        rule.Custom((value, context) => CheckText(value, charactersMax, context, context.PropertyPath));

    /// <summary>Like <see cref="Text{T}"/>, for a value that is not a property of its own (of a map).</summary>
    public static void CheckText<T>(string value, int charactersMax, ValidationContext<T> context, string path)
    {
        if (value.Length > charactersMax) Fail(context, path, ViolationCode.TooLong, $"At most {charactersMax:N0} characters.");
        else if (!IsCleanText(value)) Fail(context, path, ViolationCode.InvalidCharacters, "Text is Unicode without NUL and without halves of surrogate pairs.");
    }

    /// <summary>A pattern in words; checked only where the value is present and clean.</summary>
    public static IRuleBuilderOptionsConditions<T, string> Form<T>(this IRuleBuilder<T, string> rule, Func<string, bool> holds, string code, string description) =>
        rule.Custom((value, context) =>
        {
            if (value.Length > 0 && !holds(value)) Fail(context, context.PropertyPath, code, description);
        });

    public static IRuleBuilderOptionsConditions<T, string> Country<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(Countries.Has, ViolationCode.UnknownCountry, "An ISO 3166-1 alpha-2 code.");

    public static IRuleBuilderOptionsConditions<T, string> TimeZone<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(TimeZones.Has, ViolationCode.UnknownTimeZone, "An IANA time zone.");

    public static IRuleBuilderOptionsConditions<T, string> Ip<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(text => IpText.TryParse(text, out _), ViolationCode.InvalidIp, "An IPv4 or IPv6 address, without port or zone.");

    public static IRuleBuilderOptionsConditions<T, string> Digits<T>(this IRuleBuilder<T, string> rule, int digitsMin, int digitsMax) =>
        rule.Form(
            text => AreDigits(text, digitsMin, digitsMax),
            ViolationCode.InvalidFormat,
            digitsMin == digitsMax ? $"Exactly {digitsMin} digits." : $"{digitsMin} to {digitsMax} digits.");

    /// <summary>One of the values this service knows; unspecified is absent.</summary>
    public static IRuleBuilderOptionsConditions<T, TEnum> Known<T, TEnum>(this IRuleBuilder<T, TEnum> rule)
        where TEnum : struct, System.Enum =>
        rule.Custom((value, context) =>
        {
            if (!System.Enum.IsDefined(value)) Fail(context, context.PropertyPath, ViolationCode.UnknownEnumValue, "No value of this enumeration.");
        });

    /// <summary>Inclusive; checked where the field is set. NaN is out of every range.</summary>
    public static void Within<T>(this IRuleBuilder<T, double> rule, double min, double max, Func<T, bool> isSet) =>
        rule.Custom((value, context) =>
        {
            if (isSet(context.InstanceToValidate) && !(value >= min && value <= max))
                Fail(context, context.PropertyPath, ViolationCode.OutOfRange, $"{min:N0} to {max:N0}.");
        });

    /// <summary>Inclusive; checked where the field is set.</summary>
    public static void Within<T>(this IRuleBuilder<T, uint> rule, uint min, uint max, Func<T, bool> isSet) =>
        rule.Custom((value, context) =>
        {
            if (isSet(context.InstanceToValidate) && (value < min || value > max)) Fail(context, context.PropertyPath, ViolationCode.OutOfRange, $"{min:N0} to {max:N0}.");
        });

    /// <summary>Inclusive; checked where the field is set.</summary>
    public static void Within<T>(this IRuleBuilder<T, int> rule, int min, int max, Func<T, bool> isSet) =>
        rule.Custom((value, context) =>
        {
            if (isSet(context.InstanceToValidate) && (value < min || value > max)) Fail(context, context.PropertyPath, ViolationCode.OutOfRange, $"{min:N0} to {max:N0}.");
        });

    /// <summary>After the service's clock; unset passes.</summary>
    public static IRuleBuilderOptionsConditions<T, Timestamp?> Future<T>(this IRuleBuilder<T, Timestamp?> rule, TimeProvider clock) =>
        rule.Custom((value, context) =>
        {
            if (value is null) return;
            if (value.Nanos is < 0 or >= NanosPerSecond || value.Seconds > LatestUnixSeconds) Fail(context, context.PropertyPath, ViolationCode.InvalidTimestamp, "A time up to the year 9999.");
            else if (value.Seconds <= clock.GetUtcNow().ToUnixTimeSeconds()) Fail(context, context.PropertyPath, ViolationCode.OutOfRange, "In the future.");
        });

    /// <summary>From 2000, or another start, to the service's clock and <see cref="ClockSkewMax"/>; unset passes.</summary>
    public static IRuleBuilderOptionsConditions<T, Timestamp?> Past<T>(this IRuleBuilder<T, Timestamp?> rule, TimeProvider clock, long earliestUnixSeconds = EarliestUnixSeconds) =>
        rule.Custom((value, context) =>
        {
            if (value is null) return;
            if (!HasNanos(value)) Fail(context, context.PropertyPath, ViolationCode.InvalidTimestamp, "Nanoseconds are 0 to 999,999,999.");
            else if (value.Seconds < earliestUnixSeconds)
                Fail(context, context.PropertyPath, ViolationCode.TimeTooEarly, $"Not before {DateTimeOffset.FromUnixTimeSeconds(earliestUnixSeconds):yyyy-MM-dd}.");
            else if (value.Seconds > Latest(clock))
                Fail(context, context.PropertyPath, ViolationCode.TimeInFuture, $"At most {ClockSkewMax.TotalMinutes:N0} minutes ahead of the service's clock.");
        });

    /// <summary>A time of the years 1 to 9999; unset passes.</summary>
    public static IRuleBuilderOptionsConditions<T, Timestamp?> Time<T>(this IRuleBuilder<T, Timestamp?> rule) =>
        rule.Custom((value, context) =>
        {
            if (value is not null && !IsTime(value)) Fail(context, context.PropertyPath, ViolationCode.InvalidTimestamp, "A time of the years 1 to 9999.");
        });

    public static IRuleBuilderOptionsConditions<T, string> Uuid<T>(this IRuleBuilder<T, string> rule) =>
        rule.Form(text => Guid.TryParseExact(text, "D", out _), ViolationCode.InvalidFormat, "A UUID.");

    /// <summary>Rows of a page; 0 is the default.</summary>
    public static IRuleBuilderOptionsConditions<T, int> PageSize<T>(this IRuleBuilder<T, int> rule, int max) =>
        rule.Custom((size, context) =>
        {
            if (size < 0 || size > max) Fail(context, context.PropertyPath, ViolationCode.OutOfRange, $"0 to {max:N0}.");
        });

    public static void Fail<T>(ValidationContext<T> context, string path, string code, string description) =>
        context.AddFailure(new ValidationFailure(path, description) { ErrorCode = code });

    /// <summary>Whether <see cref="Text{T}"/> passes.</summary>
    public static bool IsText(string value, int charactersMax) => value.Length <= charactersMax && IsCleanText(value);

    /// <summary>Whether <see cref="Past{T}"/> passes.</summary>
    public static bool IsPast(Timestamp? value, TimeProvider clock, long earliestUnixSeconds) =>
        value is null || (HasNanos(value) && value.Seconds >= earliestUnixSeconds && value.Seconds <= Latest(clock));

    /// <summary>A time of the years 1 to 9999.</summary>
    public static bool IsTime(Timestamp value) => HasNanos(value) && value.Seconds is >= FirstUnixSeconds and <= LatestUnixSeconds;

    public static bool AreDigits(string text, int digitsMin, int digitsMax) =>
        text.Length >= digitsMin && text.Length <= digitsMax && !text.AsSpan().ContainsAnyExceptInRange('0', '9');

    public static bool IsCleanText(string text)
    {
        var rest = text.AsSpan();
        if (rest.Contains('\0')) return false;
        // Nearly all texts are done here.
        var at = rest.IndexOfAnyInRange(SurrogatesFirst, SurrogatesLast);
        if (at < 0) return true;
        for (var i = at; i < rest.Length; i++)
        {
            if (!char.IsSurrogate(rest[i])) continue;
            if (i + 1 >= rest.Length || !char.IsSurrogatePair(rest[i], rest[i + 1])) return false;
            i++;
        }
        return true;
    }

    private static bool HasNanos(Timestamp value) => value.Nanos is >= 0 and < NanosPerSecond;

    private static long Latest(TimeProvider clock) => (clock.GetUtcNow() + ClockSkewMax).ToUnixTimeSeconds();
}
