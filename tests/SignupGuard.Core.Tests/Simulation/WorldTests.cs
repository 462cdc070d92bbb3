using System.Net;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>The parts the simulated world is built from.</summary>
public sealed class WorldTests
{
    [Test]
    public void Own_logarithm_and_exponential_agree_with_the_platforms()
    {
        var random = new RandomSource(1);
        for (var i = 0; i < 10_000; i++)
        {
            var x = random.Between(1e-9, 1e6);
            Assert.That(PortableMath.Ln(x), Is.EqualTo(Math.Log(x)).Within(1e-13).Percent.Or.EqualTo(Math.Log(x)).Within(1e-14), $"ln {x}");
            var y = random.Between(-40.0, 40);
            Assert.That(PortableMath.Exp(y), Is.EqualTo(Math.Exp(y)).Within(1e-11).Percent, $"e^{y}");
        }
    }

    [Test]
    public void Random_numbers_are_even_and_normal_ones_normal()
    {
        var random = new RandomSource(5);
        var below = new int[10];
        double sum = 0, squares = 0;
        const int draws = 200_000;
        for (var i = 0; i < draws; i++)
        {
            below[random.Below(10)]++;
            var normal = random.Normal();
            sum += normal;
            squares += normal * normal;
        }
        Assert.That(below, Is.All.InRange(draws / 10 - 700, draws / 10 + 700));
        Assert.That(sum / draws, Is.EqualTo(0).Within(0.015));
        Assert.That(squares / draws, Is.EqualTo(1).Within(0.02));
    }

    [Test]
    public void Weighted_choices_come_by_weight()
    {
        var random = new RandomSource(6);
        foreach (var items in new[] { 3, 40 })
        {
            var weighted = new Weighted<int>(Enumerable.Range(1, items).Select(i => (i, (double)i)));
            var counts = new int[items + 1];
            const int draws = 100_000;
            for (var i = 0; i < draws; i++) counts[weighted.Pick(random)]++;
            var total = items * (items + 1) / 2.0;
            Assert.That(counts[0], Is.Zero);
            for (var i = 1; i <= items; i++) Assert.That(counts[i] / (double)draws, Is.EqualTo(i / total).Within(0.006));
        }
    }

    [Test]
    public void Offsets_are_those_of_the_systems_time_zones()
    {
        var wrong = new List<string>();
        foreach (var name in Zones.Names)
        {
            var zone = TimeZoneInfo.FindSystemTimeZoneById(name);
            for (var at = new DateTimeOffset(2024, 1, 1, 0, 30, 0, TimeSpan.Zero); at.Year < 2028; at = at.AddHours(7))
            {
                var expected = (int)zone.GetUtcOffset(at).TotalMinutes;
                if (Zones.OffsetMinutes(name, at.ToUnixTimeMilliseconds()) != expected) wrong.Add($"{name} {at:o} is {expected}");
            }
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_country_has_lines_of_every_kind_and_zones_that_exist()
    {
        foreach (var country in Countries.All)
        {
            foreach (var kind in new[] { PoolClass.Residential, PoolClass.Carrier, PoolClass.Business, PoolClass.Education })
                Assert.That(NetworkPool.Has(country.Code, kind, ipv6: false), Is.True, $"{country.Code} {kind}");
            Assert.That(NetworkPool.Has(country.Code, PoolClass.Residential, ipv6: true), Is.True, country.Code);
            Assert.That(NetworkPool.Has(country.Code, PoolClass.Carrier, ipv6: true), Is.True, country.Code);
            Assert.That(country.Zones.Items, Is.SubsetOf(Zones.Names), country.Code);
        }
    }

    [Test]
    public void No_two_networks_of_the_pools_overlap()
    {
        var ranges = NetworkPool.All
            .Select(network => (network, First: Value(network.Prefix.BaseAddress), Size: UInt128.One << ((network.Ipv6 ? 128 : 32) - network.Prefix.PrefixLength)))
            .Select(range => (range.network, range.First, Last: range.First + range.Size - 1))
            .OrderBy(range => range.network.Ipv6)
            .ThenBy(range => range.First)
            .ToList();
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].network.Ipv6 != ranges[i - 1].network.Ipv6) continue;
            Assert.That(ranges[i].First, Is.GreaterThan(ranges[i - 1].Last), $"{ranges[i - 1].network.Prefix} {ranges[i].network.Prefix}");
        }
    }

    [Test]
    public void Addresses_lie_in_the_network_they_are_drawn_from()
    {
        var random = new RandomSource(3);
        foreach (var network in NetworkPool.All)
        {
            for (var i = 0; i < 20; i++)
            {
                var address = network.Ipv6 ? network.Ipv6Address(random.Next(), random.Next()) : network.Ipv4((uint)random.Next());
                Assert.That(network.Prefix.Contains(IPAddress.Parse(address)), Is.True, $"{address} in {network.Prefix}");
            }
        }
    }

    [Test]
    public void Names_become_plain_letters_without_losing_any()
    {
        var random = new RandomSource(4);
        foreach (var country in Countries.All)
        {
            for (var i = 0; i < 500; i++)
            {
                foreach (var name in new[] { Names.Given(random, country.Culture), Names.Family(random, country.Culture) })
                {
                    Assert.That(name.Plain, Does.Match("^[a-z]{2,}$"), name.Written);
                    Assert.That(name.Plain.Length, Is.GreaterThanOrEqualTo(name.Written.Count(char.IsLetter)), name.Written);
                }
            }
        }
    }

    [Test]
    public void A_machines_fingerprint_changes_when_its_browser_moves_on_and_stays_else()
    {
        var machine = MachineMaker.Make(new RandomSource(2), Countries.Of("DE"), MachineSystem.Windows) with { Browser = Browser.Chrome, LagMs = 0 };
        var day = SimulationOptions.StartDefault.ToUnixTimeMilliseconds();
        const long dayMs = 86_400_000;
        var prints = Enumerable.Range(0, 56).Select(i => (machine.Major(day + i * dayMs), machine.Fingerprint(day + i * dayMs))).Distinct().ToList();
        Assert.That(prints.Select(p => p.Item1), Is.Unique);
        Assert.That(prints.Select(p => p.Item2), Is.Unique);
        Assert.That(prints, Has.Count.InRange(2, 3));
        Assert.That(machine.UserAgent(day), Does.Contain($"Chrome/{machine.Major(day)}.0.0.0"));
    }

    [Test]
    public void Arrivals_are_as_many_as_asked_in_order_and_follow_the_day()
    {
        var start = SimulationOptions.StartDefault.ToUnixTimeMilliseconds();
        var end = start + 7 * 86_400_000L;
        var work = new Activity(9, start, end, work: true);
        var arrivals = new Arrivals(work, new RandomSource(1), 20_000);
        var times = new List<long>();
        var countries = new Dictionary<string, List<int>>();
        var random = new RandomSource(2);
        while (arrivals.Remaining > 0)
        {
            times.Add(arrivals.Next());
            var country = work.Country(random, times[^1]);
            var localHour = (int)((times[^1] / 3_600_000 + Zones.OffsetMinutes(country.MainZone, times[^1]) / 60 + 24) % 24);
            if (!countries.TryGetValue(country.Code, out var hours)) countries[country.Code] = hours = [];
            hours.Add(localHour);
        }
        Assert.That(times, Has.Count.EqualTo(20_000));
        Assert.That(times, Is.Ordered);
        Assert.That(times[0], Is.GreaterThanOrEqualTo(start));
        Assert.That(times[^1], Is.LessThan(end));
        // Office hours are office hours wherever people live.
        foreach (var (code, hours) in countries.Where(pair => pair.Value.Count > 200))
            Assert.That(hours.Count(hour => hour is >= 8 and < 18) / (double)hours.Count, Is.GreaterThan(0.8), code);
    }

    private static UInt128 Value(IPAddress address)
    {
        UInt128 value = 0;
        foreach (var b in address.GetAddressBytes()) value = (value << 8) | b;
        return value;
    }
}
