using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Signals;

public sealed class PaymentDerivationTests
{
    [Test]
    public void Countries_are_compared_where_both_are_known()
    {
        var card = new PaymentInput { IssuerCountry = "DE", BillingAddress = new BillingAddress(null, null, null, null, null, "de") };
        var known = Derive(card, "FR");
        Assert.That((known.IssuerMatchesBillingCountry, known.IssuerMatchesIpCountry, known.BillingMatchesIpCountry), Is.EqualTo(((bool?)true, (bool?)false, (bool?)false)));
        var unknown = Derive(card, null);
        Assert.That((unknown.IssuerMatchesBillingCountry, unknown.IssuerMatchesIpCountry, unknown.BillingMatchesIpCountry), Is.EqualTo(((bool?)true, (bool?)null, (bool?)null)));
    }

    [TestCase(11, 2026, 0, "EXPIRES_THIS_MONTH")]
    [TestCase(10, 2026, -1, "EXPIRED")]
    [TestCase(12, 2026, 1, null)]
    [TestCase(11, 2030, 48, null)]
    [TestCase(11, 2036, 120, null)]
    [TestCase(1, 2037, 122, "EXPIRY_TOO_FAR")]
    [TestCase(null, 2030, null, "EXPIRY_INCOMPLETE")]
    [TestCase(11, null, null, "EXPIRY_INCOMPLETE")]
    [TestCase(null, null, null, null)]
    public void Expiry_is_counted_from_the_signup_and_its_oddities_have_codes(int? month, int? year, int? months, string? oddity)
    {
        var payment = Derive(new PaymentInput { ExpiryMonth = month, ExpiryYear = year }, null);
        Assert.That(payment.MonthsToExpiry, Is.EqualTo(months));
        Assert.That(payment.ExpiryOddities, Is.EqualTo(oddity is null ? Array.Empty<string>() : [oddity]));
    }

    [Test]
    public void What_the_processor_said_is_passed_on_and_what_it_did_not_say_stays_missing()
    {
        var said = Derive(new PaymentInput { Kind = "card", Bin = "424242", Funding = "prepaid", Virtual = true, AvsResult = "mismatch", CvvResult = "match", ThreeDSecure = "failed", Authorised = false, DeclineCode = "do_not_honor" }, null);
        Assert.That((said.Funding, said.Virtual, said.Avs, said.Cvv, said.ThreeDSecure, said.Authorised, said.DeclineCode), Is.EqualTo(("prepaid", (bool?)true, "mismatch", "match", "failed", (bool?)false, "do_not_honor")));
        var silent = Derive(new PaymentInput(), null);
        Assert.That((silent.Funding, silent.Virtual, silent.Avs, silent.Authorised, silent.HolderMatchesName), Is.EqualTo(((string?)null, (bool?)null, (string?)null, (bool?)null, (bool?)null)));
    }

    private static PaymentSignals Derive(PaymentInput payment, string? ipCountry) =>
        PaymentDerivation.Derive(
            new Signup
            {
                SignupId = "s",
                OccurredAt = new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero),
                Payment = payment,
            },
            ipCountry).Value!;
}
