using SignupGuard.Core.Signals;
using SignupGuard.Service.Screening;

namespace SignupGuard.IntegrationTests.Screening;

public sealed class FactsCipherTests
{
    private static readonly byte[] OldKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] NewKey = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];

    private static SignupSignals Signals => new()
    {
        Email = Signal<EmailSignals>.Missing("NONE"),
        Phone = Signal<PhoneSignals>.Present(new PhoneSignals
        {
            E164 = "+4930123456",
            Valid = true,
            CountryCode = 49,
            LineType = "fixed",
            Prefix = "+4930",
            Verified = false,
        }),
        Ip = Signal<IpSignals>.TimedOut("DEADLINE"),
        Device = Signal<DeviceSignals>.Failed("FAULT"),
        Payment = Signal<PaymentSignals>.Missing("NONE"),
    };

    private static FactsCipher Cipher => new(1, new Dictionary<byte, byte[]> { [1] = OldKey });

    [TestCase(0)]
    [TestCase(40)]
    [TestCase(20_000)]
    public void What_is_sealed_opens_to_the_same(int bytes)
    {
        var request = Enumerable.Range(0, bytes).Select(i => (byte)(i * i)).ToArray();
        var opened = Cipher.Open("t", Cipher.Seal("t", new SignupFacts(request, Signals)));
        Assert.That(opened.Signup, Is.EqualTo(request));
        Assert.That(opened.Signals, Is.EqualTo(Signals));
    }

    [Test]
    public void Neither_request_nor_signals_show_in_what_is_stored()
    {
        var stored = Cipher.Seal("t", new SignupFacts([.. "anna@example.org"u8], Signals));
        Assert.That(stored.AsSpan().IndexOf("anna"u8), Is.Negative);
        Assert.That(stored.AsSpan().IndexOf("4930"u8), Is.Negative);
    }

    [Test]
    public void What_repeats_is_stored_compressed()
    {
        var stored = Cipher.Seal("t", new SignupFacts(new byte[10_000], Signals));
        Assert.That(stored, Has.Length.LessThan(2_000));
    }

    [Test]
    public void Facts_of_another_tenant_do_not_open()
    {
        var stored = Cipher.Seal("t", new SignupFacts([1], Signals));
        Assert.Throws<InvalidDataException>(() => Cipher.Open("other", stored));
    }

    [Test]
    public void Any_changed_byte_is_noticed()
    {
        var stored = Cipher.Seal("t", new SignupFacts([1, 2, 3], Signals));
        for (var i = 0; i < stored.Length; i++)
        {
            var changed = stored.ToArray();
            changed[i] ^= 1;
            Assert.Throws<InvalidDataException>(() => Cipher.Open("t", changed), $"byte {i}");
        }
        for (var length = 0; length < stored.Length; length++) Assert.Throws<InvalidDataException>(() => Cipher.Open("t", stored.AsSpan(0, length)), $"length {length}");
    }

    [Test]
    public void A_retired_key_still_opens_what_was_sealed_under_it()
    {
        var stored = Cipher.Seal("t", new SignupFacts([1], Signals));
        var rotated = new FactsCipher(2, new Dictionary<byte, byte[]> { [1] = OldKey, [2] = NewKey });
        Assert.That(rotated.Open("t", stored).Signup, Is.EqualTo(new byte[] { 1 }));
        Assert.That(rotated.Seal("t", new SignupFacts([1], Signals))[1], Is.EqualTo(2));
        Assert.Throws<InvalidDataException>(() => Cipher.Open("t", rotated.Seal("t", new SignupFacts([1], Signals))));
    }
}
