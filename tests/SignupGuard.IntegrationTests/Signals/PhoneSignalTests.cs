using CsCheck;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class PhoneSignalTests
{
    [TestCase("+49 151 23456789", null, "+4915123456789", true, "DE", "mobile")]
    [TestCase("030 901820", "DE", "+4930901820", true, "DE", "fixed")]
    [TestCase("+1 (415) 555-2671", null, "+14155552671", true, "US", "fixed_or_mobile")]
    [TestCase("+44 7400 123456", null, "+447400123456", true, "GB", "mobile")]
    [TestCase("+44 5600 123456", null, "+445600123456", true, "GB", "voip")]
    [TestCase("+1 800 234 5678", null, "+18002345678", true, null, "toll_free")]
    [TestCase("+1 999 999 9999", null, "+19999999999", false, null, "other")]
    [TestCase("+91 98765 43210", null, "+919876543210", true, "IN", "mobile")]
    public void A_number_is_read_by_its_numbering_plan(string number, string? region, string e164, bool valid, string? country, string lineType)
    {
        var phone = Collect(number, region).Value!;
        TestContext.Out.WriteLine(phone);
        Assert.That((phone.E164, phone.Valid, phone.LineType), Is.EqualTo((e164, valid, lineType)));
        if (country is not null) Assert.That(phone.Region, Is.EqualTo(country));
        Assert.That(phone.Prefix, Is.EqualTo(e164[..^4]));
    }

    [TestCase("hello", null)]
    [TestCase("+", null)]
    [TestCase("030 901820", null)]
    [TestCase("+999123456789", null)]
    [TestCase("030 901820", "XX")]
    public void What_is_no_number_is_missing_and_says_so(string number, string? region)
    {
        var signal = Collect(number, region);
        Assert.That((signal.State, signal.Detail), Is.EqualTo((SignalState.Missing, "UNREADABLE_NUMBER")));
    }

    [Test]
    public void The_callers_look_up_of_the_line_outranks_the_plan() =>
        Assert.That(SignalFixture.Signals.Collect(SignalFixture.Signup() with { Phone = new PhoneInput("+4915123456789", null, null, "voip") }).Phone.Value!.LineType, Is.EqualTo("voip"));

    [TestCase("91.10.20.30", true)]
    [TestCase("73.162.10.20", false)]
    [TestCase("10.0.0.1", null)]
    public void The_region_is_held_against_the_addresss_country(string ip, bool? matches)
    {
        var signup = SignalFixture.From(ip) with { Phone = new PhoneInput("+4915123456789", null, null, null) };
        Assert.That(SignalFixture.Signals.Collect(signup).Phone.Value!.MatchesIpCountry, Is.EqualTo(matches));
    }

    [Test]
    public void Any_text_is_a_number_or_missing_and_never_a_fault() =>
        Gen.Select(Gen.OneOf(Gen.String[0, 32], Gen.String[Gen.Char["+0123456789 ()-;ext#*"], 0, 32]), Gen.String[Gen.Char['A', 'Z'], 2, 2]).Sample(
            (number, region) => Collect(number, region).State is SignalState.Present or SignalState.Missing);

    private static Signal<PhoneSignals> Collect(string number, string? region) =>
        SignalFixture.Signals.Collect(SignalFixture.Signup() with { Phone = new PhoneInput(number, region, null, null) }).Phone;
}
