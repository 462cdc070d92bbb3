using System.Net;
using SignupGuard.Core.Signals;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class IpSignalTests
{
    [TestCase("73.162.10.20", "US", 7922, "residential")]
    [TestCase("97.86.12.1", "US", 20115, "residential")]
    [TestCase("91.10.20.30", "DE", 3320, "residential")]
    [TestCase("86.150.10.1", "GB", 2856, "residential")]
    [TestCase("2a02:810a::1", "DE", 31334, "residential")]
    [TestCase("172.56.10.1", "US", 21928, "carrier")]
    [TestCase("174.192.10.1", "US", 22394, "carrier")]
    [TestCase("49.36.10.1", "IN", 55836, "carrier")]
    [TestCase("54.240.200.1", "US", 16509, "hosting")]
    [TestCase("34.72.10.1", "US", 396982, "hosting")]
    [TestCase("20.42.10.1", "US", 8075, "hosting")]
    [TestCase("167.99.10.1", "US", 14061, "hosting")]
    [TestCase("88.99.10.1", "DE", 24940, "hosting")]
    [TestCase("51.38.10.1", "FR", 16276, "hosting")]
    [TestCase("45.76.10.1", "US", 20473, "hosting")]
    [TestCase("172.104.10.1", "SG", 63949, "hosting")]
    [TestCase("128.12.10.1", "US", 32, "education")]
    public void Well_known_networks_have_their_class(string ip, string country, long asn, string kind)
    {
        var facts = SignalFixture.Signals.Lookup(IPAddress.Parse(ip))!.Value;
        TestContext.Out.WriteLine($"{ip}: {facts.Country} {facts.Asn} {facts.Organisation} {facts.NetworkClass}");
        Assert.That((facts.Country, facts.Asn, facts.NetworkClass), Is.EqualTo((country, (long?)asn, kind)));
    }

    [TestCase("10.1.2.3", "PRIVATE_ADDRESS")]
    [TestCase("::ffff:192.168.1.1", "PRIVATE_ADDRESS")]
    [TestCase("100.64.0.1", "SHARED_ADDRESS")]
    [TestCase("203.0.113.7", "DOCUMENTATION_ADDRESS")]
    [TestCase("fe80::1", "LINK_LOCAL_ADDRESS")]
    public void An_address_that_is_no_clients_is_missing_and_says_why(string ip, string code)
    {
        var signal = SignalFixture.Signals.Collect(SignalFixture.From(ip)).Ip;
        Assert.That((signal.State, signal.Detail), Is.EqualTo((SignalState.Missing, code)));
    }

    [Test]
    public void An_ipv4_mapped_address_is_its_ipv4_address()
    {
        var mapped = SignalFixture.Signals.Collect(SignalFixture.From("::ffff:73.162.10.20")).Ip;
        Assert.That(mapped.Value, Is.EqualTo(SignalFixture.Signals.Collect(SignalFixture.From("73.162.10.20")).Ip.Value));
        Assert.That(mapped.Value!.Version, Is.EqualTo(4));
    }
}
