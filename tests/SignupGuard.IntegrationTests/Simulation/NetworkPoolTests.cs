using System.Net;
using SignupGuard.IntegrationTests.Signals;
using SignupGuard.Service.ReferenceData;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.IntegrationTests.Simulation;

/// <summary>
/// The simulator's addresses against the IP data that the build restores: what the product says of an address is what the story says.
/// When this fails after a data update, allocations moved: take the networks named out of networks.csv.
/// </summary>
public sealed class NetworkPoolTests
{
    /// <summary>Addresses looked up per network, its ends included.</summary>
    private const int Samples = 12;

    [Test]
    public void Country_and_autonomous_system_of_every_network_are_those_of_the_ip_data()
    {
        var random = new RandomSource(1);
        var wrong = new List<string>();
        foreach (var network in NetworkPool.All)
        {
            foreach (var address in Addresses(network, random))
            {
                var facts = SignalFixture.Signals.Lookup(address);
                if (facts is null || facts.Value.Country != network.Country || facts.Value.Asn != network.Asn)
                    wrong.Add($"{network.Prefix} ({network.Country}, AS{network.Asn}): {address} is {facts?.Country ?? "nowhere"}, AS{facts?.Asn}");
            }
        }
        Assert.That(wrong, Is.Empty, $"{wrong.Count} addresses");
    }

    [Test]
    public void No_home_office_or_school_is_taken_for_a_rented_network_nor_the_other_way_round()
    {
        var wrong = new List<string>();
        foreach (var network in NetworkPool.All)
        {
            var kind = SignalFixture.Signals.Lookup(network.Prefix.BaseAddress)?.NetworkClass;
            var rented = kind is NetworkClasses.Hosting or NetworkClasses.Vpn or NetworkClasses.Tor or NetworkClasses.Proxy or NetworkClasses.Relay;
            var agrees = network.Class switch
            {
                PoolClass.Residential or PoolClass.Carrier or PoolClass.Business or PoolClass.Education => !rented,
                PoolClass.Hosting or PoolClass.Vpn or PoolClass.Relay => rented,
                _ => true,
            };
            if (!agrees) wrong.Add($"{network.Prefix} {network.Organisation}: {network.Class} is taken for {kind ?? "nothing"}");
        }
        Assert.That(wrong, Is.Empty);
    }

    private static IEnumerable<IPAddress> Addresses(PoolNetwork network, RandomSource random)
    {
        yield return network.Prefix.BaseAddress;
        if (network.Ipv6)
        {
            yield return IPAddress.Parse(network.Ipv6Address(ulong.MaxValue, ulong.MaxValue));
            for (var i = 0; i < Samples; i++) yield return IPAddress.Parse(network.Ipv6Address(random.Next(), random.Next()));
            yield break;
        }
        yield return IPAddress.Parse(network.Ipv4(uint.MaxValue));
        for (var i = 0; i < Samples; i++) yield return IPAddress.Parse(network.Ipv4((uint)random.Next()));
    }
}
