using PhoneNumbers;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>What the phone number tells, by the numbering plans that libphonenumber carries.</summary>
internal static class PhoneCollector
{
    public const string NotGiven = "NOT_GIVEN";

    /// <summary>No number at all, by the form alone. A number of the right form that is not assigned is present and not valid.</summary>
    public const string Unreadable = "UNREADABLE_NUMBER";

    /// <summary>Digits at the end that tell lines of one block apart.</summary>
    private const int LineDigits = 4;

    private static readonly PhoneNumberUtil Numbers = PhoneNumberUtil.GetInstance();

    public static Signal<PhoneSignals> Collect(Signup signup, string? ipCountry)
    {
        if (signup.Phone is not { } phone || string.IsNullOrWhiteSpace(phone.Number)) return Signal<PhoneSignals>.Missing(NotGiven);
        PhoneNumber number;
        try
        {
            // Without a region only international numbers can be read.
            number = Numbers.Parse(phone.Number, phone.Region ?? signup.Subject.Country);
        }
        catch (NumberParseException)
        {
            // The library's only way to say "not a number".
            return Signal<PhoneSignals>.Missing(Unreadable);
        }
        var e164 = Numbers.Format(number, PhoneNumberFormat.E164);
        var plan = Numbers.GetRegionCodeForNumber(number);
        // "001" is the numbering plan of no country.
        var region = plan is { Length: 2 } ? plan : null;
        return Signal<PhoneSignals>.Present(new PhoneSignals
        {
            E164 = e164,
            // What IsValidNumber does, without looking for the plan again.
            Valid = Numbers.IsValidNumberForRegion(number, plan),
            Region = region,
            CountryCode = number.CountryCode,
            LineType = phone.LineType ?? LineType(Numbers.GetNumberType(number)),
            Prefix = e164[..Math.Max(2, e164.Length - LineDigits)],
            Verified = phone.VerifiedAt is not null,
            MatchesIpCountry = Country.Same(region, ipCountry),
        });
    }

    private static string LineType(PhoneNumberType type) => type switch
    {
        PhoneNumberType.MOBILE => "mobile",
        PhoneNumberType.FIXED_LINE => "fixed",
        PhoneNumberType.FIXED_LINE_OR_MOBILE => "fixed_or_mobile",
        PhoneNumberType.VOIP => "voip",
        PhoneNumberType.TOLL_FREE => "toll_free",
        PhoneNumberType.PREMIUM_RATE => "premium",
        _ => "other",
    };
}
