using System.Globalization;
using System.Net;
using CsCheck;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Lists;

/// <summary>What is the same to signals is the same to lists.</summary>
public sealed class ListMatchTests
{
    [TestCase("anna@gmail.com", "An.Na+shop@googlemail.com", true)]
    [TestCase("A.n.n.a+x@GMAIL.com", "anna@gmail.com", true)]
    [TestCase("anna@gmail.com", "anne@gmail.com", false)]
    [TestCase("anna@bücher.example", "anna@xn--bcher-kva.example", true)]
    [TestCase("anna@example.org", "anna+tag@example.org", true)]
    [TestCase("anna@example.org", "an.na@example.org", false)]
    public void An_address_matches_every_alias_of_its_mailbox(string listed, string sent, bool matches) =>
        Assert.That(ListFixture.Of(ListType.Email, listed).On(ListFixture.Email(sent)), Is.EqualTo(matches));

    [TestCase("example.org", "a@example.org", true)]
    [TestCase("example.org", "a@mail.example.org", true)]
    [TestCase("example.org", "a@deep.mail.example.org", true)]
    [TestCase("example.org", "a@notexample.org", false)]
    [TestCase("mail.example.org", "a@example.org", false)]
    [TestCase("@Example.ORG", "a@example.org", true)]
    [TestCase("*.example.org", "a@x.example.org", true)]
    [TestCase("bücher.example", "a@xn--bcher-kva.example", true)]
    [TestCase("example.org", "a@a.b.c.d.e.f.g.h.i.j.k.example.org", true)]
    public void A_domain_stands_for_itself_and_those_below_it(string listed, string sent, bool matches) =>
        Assert.That(ListFixture.Of(ListType.Domain, listed).On(ListFixture.Email(sent)), Is.EqualTo(matches));

    [TestCase("203.0.113.7", "203.0.113.7", true)]
    [TestCase("203.0.113.7", "203.0.113.8", false)]
    [TestCase("203.0.113.0/24", "203.0.113.255", true)]
    [TestCase("203.0.113.0/24", "203.0.112.255", false)]
    [TestCase("203.0.113.7/32", "203.0.113.7", true)]
    [TestCase("203.0.113.6/31", "203.0.113.7", true)]
    [TestCase("203.0.113.7", "::ffff:203.0.113.7", true)]
    [TestCase("::ffff:203.0.113.0/120", "203.0.113.9", true)]
    [TestCase("2001:db8::/32", "2001:db8:1::5", true)]
    [TestCase("2001:db8::/32", "2001:db9::5", false)]
    [TestCase("2001:db8::5", "2001:db8::5", true)]
    [TestCase("2001:db8::5/128", "2001:db8::5", true)]
    [TestCase("2001:db8::4/127", "2001:db8::5", true)]
    [TestCase("2001:0DB8:0:0::5", "2001:db8::5", true)]
    [TestCase("10.0.0.0/8", "10.1.2.3", true)]
    public void An_address_matches_itself_and_its_networks(string listed, string sent, bool matches) =>
        Assert.That(ListFixture.Of(ListType.Ip, listed).On(ListFixture.Ip(sent)), Is.EqualTo(matches));

    [TestCase(ListType.Ip, "203.0.113.1/24")]
    [TestCase(ListType.Ip, "0.0.0.0/0")]
    [TestCase(ListType.Ip, "::/0")]
    [TestCase(ListType.Ip, "::ffff:0:0/96")]
    [TestCase(ListType.Ip, "203.0.113.0/33")]
    [TestCase(ListType.Ip, "203.0.113.0/-1")]
    [TestCase(ListType.Ip, "203.0.113")]
    [TestCase(ListType.Ip, "1")]
    [TestCase(ListType.Ip, "010.0.0.1")]
    [TestCase(ListType.Ip, "fe80::1%1")]
    [TestCase(ListType.Ip, "example.org")]
    [TestCase(ListType.Email, "anna")]
    [TestCase(ListType.Email, "@example.org")]
    [TestCase(ListType.Domain, "com")]
    [TestCase(ListType.Domain, "a b.org")]
    [TestCase(ListType.Asn, "4294967296")]
    [TestCase(ListType.Asn, "-1")]
    [TestCase(ListType.Asn, "AS")]
    [TestCase(ListType.Bin, "12345")]
    [TestCase(ListType.Bin, "123456789")]
    [TestCase(ListType.Bin, "12345６")]
    [TestCase(ListType.Phone, "030 123456")]
    [TestCase(ListType.Country, "XX")]
    [TestCase(ListType.Country, "DEU")]
    [TestCase(ListType.Device, "a\u0007b")]
    [TestCase(ListType.Device, "")]
    [TestCase(ListType.Account, "   ")]
    public void What_is_no_value_of_the_type_is_refused(ListType type, string text) => Assert.That(ListFixture.Reader.Read("t", type, text), Is.Null);

    [Test]
    public void Any_text_is_read_or_refused_whatever_the_type() =>
        Gen.Select(Gen.Enum<ListType>(), Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789.:/@ASas+-%[]\u0000é"], 0, 60])).Sample((type, text) =>
        {
            var value = ListFixture.Reader.Read("t", type, text);
            // What was read once is read again to the same: an export can be imported.
            return value is null || ListFixture.Reader.Read("t", type, value.Text) == value;
        });

    [Test]
    public void The_caller_s_own_ids_and_the_network_s_facts_match()
    {
        var signup = ListFixture.Ip("203.0.113.7") with
        {
            Subject = new Subject { AccountId = "acc-1" },
            Device = new DeviceInput { DeviceId = "dev-1" },
            Phone = new PhoneInput("+4930123456", null, null, null),
            Payment = new PaymentInput { InstrumentFingerprint = "card-1", Bin = "45678901" },
        };
        foreach (var (type, value) in new (ListType, string)[]
        {
            (ListType.Account, "acc-1"), (ListType.Device, "dev-1"), (ListType.Phone, "+49 30 123456"), (ListType.Card, "card-1"),
            (ListType.Asn, "AS64500"), (ListType.Asn, "64500"), (ListType.Country, "de"), (ListType.Bin, "45678901"), (ListType.Bin, "456789"),
        })
        {
            Assert.That(ListFixture.Of(type, value).On(signup), Is.True, $"{type} {value}");
            Assert.That(ListFixture.Of(type, value).On(ListFixture.Bare), Is.False, $"{type} {value}");
        }
        Assert.That(ListFixture.Of(ListType.Account, "acc-2").On(signup), Is.False);
        Assert.That(ListFixture.Of(ListType.Asn, "64501").On(signup), Is.False);
        Assert.That(ListFixture.Of(ListType.Bin, "456788").On(signup), Is.False);
    }

    [Test]
    public void A_list_matches_also_where_the_policy_has_no_rule_for_its_keys() =>
        Assert.That(ListFixture.Of(ListType.Device, "dev-1").Match(ListFixture.Bare with { Device = new DeviceInput { DeviceId = "dev-1" } }, rules: []).All, Has.Count.EqualTo(1));

    /// <summary>Keys are taken over from the link keys where they are the same. That must make no difference.</summary>
    [TestCase(ListType.Domain, "company.example")]
    [TestCase(ListType.Domain, "mail.company.example")]
    [TestCase(ListType.Ip, "203.0.113.7")]
    [TestCase(ListType.Email, "anna@mail.company.example")]
    public void A_list_matches_alike_with_the_policys_keys_and_without(ListType type, string value)
    {
        var index = ListFixture.Of(type, value);
        var signup = ListFixture.Ip("203.0.113.7") with { Email = new EmailInput("anna@mail.company.example", null) };
        Assert.That(index.Match(signup).All, Has.Count.EqualTo(1));
        Assert.That(index.Match(signup, rules: []).All, Has.Count.EqualTo(1));
        Assert.That(index.Match(ListFixture.Ip("203.0.113.8") with { Email = new EmailInput("anna@mail.other.example", null) }).All, Is.Empty);
    }

    [Test]
    public void A_signup_on_no_list_has_the_one_empty_result() => Assert.That(ListFixture.Of(ListType.Device, "dev-1").Match(ListFixture.Email("a@b.org")), Is.SameAs(ListHits.None));

    [Test]
    public void Of_several_entries_the_most_specific_gives_the_reason()
    {
        var index = ListIndex.Empty.Apply(new ListChanges(
            1,
            [new ListDefinition(1, "nets", ListEffect.Deny, ListType.Ip), new ListDefinition(2, "bins", ListEffect.Watch, ListType.Bin), new ListDefinition(3, "domains", ListEffect.Watch, ListType.Domain)],
            [],
            [
                new ListEntry(1, ListFixture.Key(ListType.Ip, "203.0.0.0/16"), null, "16"),
                new ListEntry(1, ListFixture.Key(ListType.Ip, "203.0.113.0/24"), null, "24"),
                new ListEntry(1, ListFixture.Key(ListType.Ip, "203.0.113.7"), null, "whole"),
                new ListEntry(2, ListFixture.Key(ListType.Bin, "456789"), null, "6"),
                new ListEntry(2, ListFixture.Key(ListType.Bin, "4567890"), null, "7"),
                new ListEntry(3, ListFixture.Key(ListType.Domain, "example.org"), null, "above"),
                new ListEntry(3, ListFixture.Key(ListType.Domain, "mail.example.org"), null, "below"),
            ],
            []));
        string? Reason(Signup signup) => index.Match(signup).All.Single().Reason;
        Assert.That(Reason(ListFixture.Ip("203.0.113.7")), Is.EqualTo("whole"));
        Assert.That(Reason(ListFixture.Ip("203.0.113.8")), Is.EqualTo("24"));
        Assert.That(Reason(ListFixture.Ip("203.0.1.8")), Is.EqualTo("16"));
        Assert.That(Reason(ListFixture.Bare with { Payment = new PaymentInput { Bin = "45678901" } }), Is.EqualTo("7"));
        Assert.That(Reason(ListFixture.Bare with { Payment = new PaymentInput { Bin = "45678911" } }), Is.EqualTo("6"));
        Assert.That(Reason(ListFixture.Email("a@x.mail.example.org")), Is.EqualTo("below"));
        Assert.That(Reason(ListFixture.Email("a@x.example.org")), Is.EqualTo("above"));
    }

    [Test]
    public void An_entry_holds_for_signups_before_it_expires_and_never_after()
    {
        var expires = ListFixture.At.ToUnixTimeMilliseconds();
        var index = ListIndex.Empty.Apply(new ListChanges(
            1,
            [new ListDefinition(1, "one", ListEffect.Allow, ListType.Ip)],
            [],
            [new ListEntry(1, ListFixture.Key(ListType.Ip, "203.0.113.7"), expires, "short"), new ListEntry(1, ListFixture.Key(ListType.Ip, "203.0.113.0/24"), null, "long")],
            []));
        var signup = ListFixture.Ip("203.0.113.7");
        Assert.That(index.Match(signup with { OccurredAt = ListFixture.At.AddMilliseconds(-1) }).All.Single().Reason, Is.EqualTo("short"));
        // What has expired stands in nobody's way.
        Assert.That(index.Match(signup).All.Single().Reason, Is.EqualTo("long"));
    }

    private static readonly Gen<string> Network = Gen.OneOf(
        Gen.Select(Gen.Int[8, 32], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 255]).Select((prefix, second, third, fourth) => Masked(new IPAddress([203, (byte)second, (byte)third, (byte)fourth]), prefix)),
        Gen.Select(Gen.Int[16, 128], Gen.Int[0, 3], Gen.Int[0, 255]).Select((prefix, third, last) => Masked(IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"2001:db8:{third}::{last:x}")), prefix)));

    private static readonly Gen<IPAddress> Address = Gen.OneOf(
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 255]).Select((second, third, fourth) => new IPAddress([203, (byte)second, (byte)third, (byte)fourth])),
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 255]).Select((third, last) => IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"2001:db8:{third}::{last:x}"))));

    private static string Masked(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(bytes)}/{prefix}");
    }

    [Test]
    public void Networks_match_as_a_scan_of_all_of_them_does() =>
        Gen.Select(Network.Array[0, 40], Address).Sample((networks, address) =>
        {
            var distinct = networks.Distinct().ToArray();
            var index = ListIndex.Empty.Apply(new ListChanges(
                1,
                [new ListDefinition(1, "one", ListEffect.Deny, ListType.Ip)],
                [],
                [.. distinct.Select(network => new ListEntry(1, ListFixture.Key(ListType.Ip, network), null, network))],
                []));
            var expected = distinct.Where(network => IPNetwork.Parse(network).Contains(address)).OrderByDescending(network => IPNetwork.Parse(network).PrefixLength).FirstOrDefault();
            return index.Match(ListFixture.Ip(address.ToString())).All.SingleOrDefault()?.Reason == expected;
        }, iter: 20_000);
}
