using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Signals;

/// <summary>Derives what a payment instrument tells. Pure.</summary>
public static class PaymentDerivation
{
    public const string NotGiven = "NOT_GIVEN";

    /// <summary>The card had expired when the form was sent.</summary>
    public const string Expired = "EXPIRED";

    /// <summary>Expires within the month of the signup: good for one free trial.</summary>
    public const string ExpiresThisMonth = "EXPIRES_THIS_MONTH";

    /// <summary>Further ahead than issuers make cards for.</summary>
    public const string ExpiryTooFar = "EXPIRY_TOO_FAR";

    /// <summary>Month without year, or year without month.</summary>
    public const string ExpiryIncomplete = "EXPIRY_INCOMPLETE";

    /// <summary>Issuers give cards three to five years, a few ten.</summary>
    private const int MonthsMax = 121;

    /// <param name="ipCountry">Country of the client's address; null when missing.</param>
    public static Signal<PaymentSignals> Derive(Signup signup, string? ipCountry)
    {
        if (signup.Payment is not { } payment) return Signal<PaymentSignals>.Missing(NotGiven);
        var months = MonthsToExpiry(payment, signup.OccurredAt);
        var billing = payment.BillingAddress?.Country;
        return Signal<PaymentSignals>.Present(new PaymentSignals
        {
            Kind = payment.Kind,
            Bin = payment.Bin,
            Funding = payment.Funding,
            Virtual = payment.Virtual,
            Brand = payment.Brand,
            Issuer = payment.Issuer,
            IssuerCountry = payment.IssuerCountry,
            IssuerMatchesIpCountry = Country.Same(payment.IssuerCountry, ipCountry),
            IssuerMatchesBillingCountry = Country.Same(payment.IssuerCountry, billing),
            BillingMatchesIpCountry = Country.Same(billing, ipCountry),
            Avs = payment.AvsResult,
            Cvv = payment.CvvResult,
            ThreeDSecure = payment.ThreeDSecure,
            Authorised = payment.Authorised,
            DeclineCode = payment.DeclineCode,
            MonthsToExpiry = months,
            ExpiryOddities = Oddities(payment, months),
            HolderMatchesName = PersonName.HolderMatches(signup.Subject, payment.HolderName),
        });
    }

    private static int? MonthsToExpiry(PaymentInput payment, DateTimeOffset at) =>
        payment is { ExpiryMonth: { } month, ExpiryYear: { } year } ? ((year - at.UtcDateTime.Year) * 12) + month - at.UtcDateTime.Month : null;

    private static IReadOnlyList<string> Oddities(PaymentInput payment, int? months) => months switch
    {
        < 0 => [Expired],
        0 => [ExpiresThisMonth],
        > MonthsMax => [ExpiryTooFar],
        null when payment.ExpiryMonth is not null || payment.ExpiryYear is not null => [ExpiryIncomplete],
        _ => [],
    };
}
