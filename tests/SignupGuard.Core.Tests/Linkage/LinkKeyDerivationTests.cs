using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Linkage;

public sealed class LinkKeyDerivationTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, KeyHasher.KeyBytes).Select(i => (byte)i)];
    private static readonly KeyHasher Hasher = new(Secret);

    private static readonly Signup Signup = new()
    {
        SignupId = "su_1",
        OccurredAt = DateTimeOffset.UnixEpoch,
        Subject = new Subject { FullName = " Ana María  López ", AccountId = "acc" },
        ExternalIdentity = new ExternalIdentity("google", "42", null),
        Network = new NetworkInput { Ip = IPAddress.Loopback, Ja4 = "t13d" },
        Device = new DeviceInput { DeviceId = "dev", Fingerprint = "fp" },
        Payment = new PaymentInput
        {
            InstrumentFingerprint = "card",
            HolderName = " ana lópez ",
            BillingAddress = new BillingAddress("1 Straße ", null, null, null, " ab 1", "DE"),
        },
    };

    private static readonly SignupSignals Signals = new()
    {
        Email = Signal<EmailSignals>.Present(new EmailSignals
        {
            Canonical = "ana@gmail.com",
            Local = "ana",
            Domain = "gmail.com",
            Free = true,
            Tagged = false,
            Skeleton = "a",
            Length = 3,
            Digits = 0,
            DigitRatio = 0,
            Entropy = 1,
            Role = false,
            Internationalised = false,
            MixedScript = false,
            Verified = false,
        }),
        Phone = Signal<PhoneSignals>.Missing("NOT_GIVEN"),
        Ip = Signal<IpSignals>.Present(new IpSignals
        {
            Address = "1.2.3.4",
            Net = "1.2.3.0/24",
            Line = "1.2.3.4",
            Version = 4,
            Country = "DE",
            Asn = 3320,
            NetworkClass = "residential",
            TimeZoneMatches = false,
            ForwardedHops = 0,
        }),
        Device = Signal<DeviceSignals>.Present(new DeviceSignals { Browser = "Chrome", BrowserMajor = 131, Language = "de", TimeZone = "Europe/Berlin", Impossible = [] }),
        Payment = Signal<PaymentSignals>.Present(new PaymentSignals { Bin = "411111", IssuerCountry = null, ExpiryOddities = [] }),
    };

    [TestCase("account", "acc")]
    [TestCase("card", "card")]
    [TestCase("device", "dev")]
    [TestCase("email", "ana@gmail.com")]
    [TestCase("phone", null)]
    [TestCase("domain", null)]
    [TestCase("fingerprint", "fp")]
    [TestCase("ip", "1.2.3.4")]
    [TestCase("net", "1.2.3.0/24")]
    [TestCase("asn", "3320")]
    [TestCase("skeleton", "a@gmail.com")]
    [TestCase("bin", "411111|")]
    [TestCase("user_agent", "Chrome|131||de|Europe/Berlin")]
    [TestCase("network_class", "residential")]
    [TestCase("time_zone_geo", "mismatch")]
    [TestCase("ja4", "t13d")]
    [TestCase("time_zone", "Europe/Berlin")]
    [TestCase("identity", "google|42")]
    [TestCase("holder", "ANA LÓPEZ")]
    [TestCase("address", "1 STRAßE|AB 1|DE")]
    [TestCase("surname", "LÓPEZ")]
    [TestCase("country", "DE")]
    [TestCase("owner", "LÓPEZ")]
    public void A_key_is_the_keyed_hash_of_its_attributes_canonical_value(string name, string? value)
    {
        Assert.That(KeyKind.TryParse(name, out var kind), Is.True);
        // Twice: the second may be remembered.
        for (var i = 0; i < 2; i++)
            Assert.That(Derive(kind, Signup, Signals).Keys[0], Is.EqualTo(value is null ? default : Plain("t", kind, value)));
    }

    [Test]
    public void The_owner_of_a_company_address_is_its_domain()
    {
        var company = Signals with { Email = Signal<EmailSignals>.Present(Signals.Email.Value! with { Free = false, Domain = "mail.firm.example", RegistrableDomain = "firm.example" }) };
        var owner = KeyKind.Of(LinkAttribute.Owner);
        Assert.That(Derive(owner, Signup, company).Keys[0], Is.EqualTo(Plain("t", owner, "@firm.example")));
    }

    [Test]
    public void Hashes_made_for_one_policy_give_another_policys_keys()
    {
        var (one, other) = (Rules("fingerprint", "fingerprint+bin"), Rules("fingerprint+bin", "ip+user_agent", "card"));
        var hashes = default(AttributeHashes);
        new LinkKeyDerivation(Hasher, one).Derive("t", Signup, Signals, ref hashes);
        var shared = new LinkKeyDerivation(Hasher, other).Derive("t", Signup, Signals, ref hashes);
        var own = new LinkKeyDerivation(Hasher, other).Derive("t", Signup, Signals);
        Assert.That(shared.Keys, Is.EqualTo(own.Keys));
        Assert.That((shared.Account, shared.Organisation), Is.EqualTo((own.Account, own.Organisation)));
    }

    [Test]
    public void Remembering_changes_no_hash() =>
        Gen.Select(Gen.Int[0, 2].Select(i => new[] { "t", "u", "" }[i]), Gen.Int[1, 23], Gen.Int[0, 20_000]).Sample(
            (tenant, attribute, number) =>
            {
                var kind = KeyKind.Of((LinkAttribute)attribute);
                var value = number.ToString(CultureInfo.InvariantCulture);
                return Hasher.Hash(tenant, kind, value, common: true) == Plain(tenant, kind, value) && Hasher.Hash(tenant, kind, value) == Plain(tenant, kind, value);
            },
            iter: 50_000);

    private static DerivedKeys Derive(KeyKind kind, Signup signup, SignupSignals signals) => new LinkKeyDerivation(Hasher, Rules(kind.ToString())).Derive("t", signup, signals);

    private static LinkageRule[] Rules(params string[] names) =>
        [.. names.Select((name, index) => new LinkageRule { Index = index, Kind = KeyKind.TryParse(name, out var kind) ? kind : throw new ArgumentException(name), Class = LinkClass.Soft, Weight = 1, HalfLifeDays = 3 })];

    /// <summary>HMAC-SHA-256 of kind, tenant, NUL and value, its first 128 bits: as stored keys were made.</summary>
    private static LinkKey Plain(string tenant, KeyKind kind, string value)
    {
        byte[] message = [(byte)(kind.Code >> 8), (byte)kind.Code, .. Encoding.UTF8.GetBytes(tenant), 0, .. Encoding.UTF8.GetBytes(value)];
        return new LinkKey(BinaryPrimitives.ReadUInt128BigEndian(HMACSHA256.HashData(Secret, message)));
    }
}
