using System.Net;
using CsCheck;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

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

    [Test]
    public void What_the_edge_says_is_used_where_no_database_knows()
    {
        var empty = SignalFixture.Collection(SignalFixture.Store(new SignalOptions { ReferenceDataFolder = Path.Combine(Path.GetTempPath(), "none-" + Guid.NewGuid()) }));
        var ip = empty.Collect(Edge("73.162.10.20", new EdgeIpIntelligence("FR", 12322, "Free SAS", "carrier", false, 0.7))).Ip.Value!;
        Assert.That(
            (ip.Country, ip.Asn, ip.AsnOrganisation, ip.NetworkClass, ip.Hosting, ip.Anonymiser, ip.ResidentialProxyConfidence),
            Is.EqualTo(("FR", (long?)12322, "Free SAS", "carrier", (bool?)false, (bool?)false, (double?)0.7)));
        // A number alone is classed by the list.
        Assert.That(empty.Collect(Edge("73.162.10.20", new EdgeIpIntelligence(null, 16509, null, null, null, null))).Ip.Value!.NetworkClass, Is.EqualTo("hosting"));
    }

    [TestCase("73.162.10.20", "vpn", "vpn", true)]
    [TestCase("73.162.10.20", "business", "business", null)]
    [TestCase("54.240.200.1", "residential", "hosting", null)]
    [TestCase("54.240.200.1", "vpn", "vpn", true)]
    [TestCase("73.162.10.20", null, "residential", null)]
    public void The_edge_knows_the_address_better_than_its_system_but_makes_no_home_of_a_hosting_network(string address, string? said, string kind, bool? anonymiser)
    {
        var ip = SignalFixture.Signals.Collect(Edge(address, new EdgeIpIntelligence("FR", 1, "Somebody", said, null, null))).Ip.Value!;
        Assert.That((ip.Country, ip.NetworkClass, ip.Anonymiser), Is.EqualTo(("US", kind, anonymiser)));
        Assert.That(ip.AsnOrganisation, Is.Not.EqualTo("Somebody"));
    }

    [Test]
    public void Ranges_that_overlap_are_told_apart_and_disorder_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("asn-").FullName;
        try
        {
            var (v4, v6) = (Path.Combine(folder, "4.csv"), Path.Combine(folder, "6.csv"));
            File.WriteAllText(v6, "42540766411282592856903984951653826560,42540766490510755371168322545197776895,64501,Six\n");
            File.WriteAllText(v4, "100,199,64496,Outer\r\n150,159,64497,\"Inner, \"\"quoted\"\" Inc.\"\r\n300,300,4294967295,Last");
            var table = AsnTable.Read(v4, v6);
            string? Of(uint value) => table.TryFind(new IPAddress([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]), out var number, out var name) ? $"{number} {name}" : null;
            Assert.That(
                new[] { Of(99), Of(100), Of(149), Of(150), Of(159), Of(160), Of(199), Of(200), Of(300), Of(301) },
                Is.EqualTo(new[] { null, "64496 Outer", "64496 Outer", "64497 Inner, \"quoted\" Inc.", "64497 Inner, \"quoted\" Inc.", "64496 Outer", "64496 Outer", null, "4294967295 Last", null }));
            Assert.That(table.TryFind(IPAddress.Parse("2001:db8::5"), out var six, out _) ? six : 0, Is.EqualTo(64501));
            foreach (var bad in new[] { "200,100,1,x", "100,200,1,x\n50,60,1,x", "1.2.3.4,1.2.3.5,1,x", "100,200,x,y", "100,200", "4294967296,4294967297,1,x" })
            {
                File.WriteAllText(v4, bad);
                Assert.That(() => AsnTable.Read(v4, v6), Throws.InstanceOf<FormatException>().With.Message.Contains("4.csv, line"), bad);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void An_address_set_holds_what_its_lines_say_and_nothing_else() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt).Sample((one, other, probe) =>
        {
            var (first, last) = one < other ? (one, other) : (other, one);
            var set = AddressSet.Read([("list", [$"{V4(first)}-{V4(last)}"])]);
            return set.Contains(V4(first)) && set.Contains(V4(last)) && set.Contains(V4(probe)) == (probe >= first && probe <= last);
        });

    private static IPAddress V4(uint value) => new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);

    private static Signup Edge(string ip, EdgeIpIntelligence edge) => SignalFixture.Signup() with
    {
        Network = new NetworkInput
        {
            Ip = IPAddress.Parse(ip),
            Edge = edge,
        },
    };
}
