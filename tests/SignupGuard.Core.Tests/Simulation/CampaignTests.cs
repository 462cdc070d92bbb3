using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.V1;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>Attackers do what the families say.</summary>
public sealed class CampaignTests
{
    private static List<SimulatedSignup> Only(string family, int count, ulong seed = 5, ParameterSet parameters = ParameterSet.Default) =>
        Run(0, new() { [family] = count }, seed, parameters);

    private static List<SimulatedSignup> Run(int benign, Dictionary<string, int> families, ulong seed = 4, ParameterSet parameters = ParameterSet.Default) =>
        [.. SimulationRun.Of(new SimulationOptions { Seed = seed, Benign = benign, Days = 10, Families = families, Parameters = parameters })];

    /// <summary>Mean accounts per key within campaigns, over keys that were not cut off by the end.</summary>
    private static double PerKey(IEnumerable<SimulatedSignup> signups, Func<Signup, string?> key) =>
        signups.Where(s => !string.IsNullOrEmpty(key(s.Signup))).GroupBy(s => (s.Campaign, key(s.Signup))).Average(group => group.Count());

    [Test]
    public void Every_family_appears_in_several_campaigns_of_the_default_mix()
    {
        var campaigns = SimulationRun.Of(new SimulationOptions { Seed = 2, Benign = 10_000, Days = 7 })
            .Where(s => s.Fraud)
            .GroupBy(s => s.Group)
            .ToDictionary(family => family.Key, family => family.Select(s => s.Campaign).Distinct().Count());
        Assert.That(campaigns.Keys, Is.EquivalentTo(Families.All));
        Assert.That(campaigns.Values, Is.All.GreaterThanOrEqualTo(2));
    }

    [Test]
    public void Hydra_uses_an_address_about_four_times_a_profile_thirty_and_a_card_five()
    {
        var hydra = Only(Families.Hydra, 4_000);
        // Fingerprint, card and address are missing in part of the signups as everybody's are, so fewer than were made with it are seen.
        Assert.That(PerKey(hydra, s => s.Network.Ip), Is.InRange(2.8, 5.2));
        Assert.That(PerKey(hydra, s => s.Payment?.InstrumentFingerprint), Is.InRange(3.3, 6));
        Assert.That(PerKey(hydra, s => s.Device.Fingerprint), Is.InRange(12, 40));
        foreach (var campaign in hydra.GroupBy(s => s.Campaign))
        {
            Assert.That(campaign.Where(s => s.Signup.Payment is not null).Select(s => s.Signup.Payment.Bin).Distinct().Count(), Is.InRange(2, 3), campaign.Key);
            // The range's country is the exit's.
            var paid = campaign.Select(s => s.Signup).Where(s => s.Payment is not null && s.Network.Edge is not null);
            Assert.That(paid.All(s => s.Payment.IssuerCountry == s.Network.Edge.Country), Is.True, campaign.Key);
            Assert.That(campaign.Count(s => s.Signup.Email.Address.Contains("gmail", StringComparison.Ordinal)), Is.GreaterThan(campaign.Count() / 5), campaign.Key);
        }
    }

    [Test]
    public void Virtual_cards_are_all_of_one_or_two_ranges_and_each_its_own()
    {
        foreach (var campaign in Only(Families.VirtualBin, 900).GroupBy(s => s.Campaign))
        {
            Assert.That(campaign.Select(s => s.Signup.Payment.Bin).Distinct().Count(), Is.LessThanOrEqualTo(2));
            Assert.That(campaign.Select(s => s.Signup.Payment.InstrumentFingerprint), Is.Unique);
            // Numbered mailboxes: the stem repeats, the number rises.
            var stems = campaign.GroupBy(s => s.Signup.Email.Address.Split('@')[0].TrimEnd([.. "0123456789"])).ToList();
            Assert.That(stems.Average(stem => stem.Count()), Is.GreaterThan(8));
            foreach (var stem in stems)
            {
                var numbers = stem.Select(s => s.Signup.Email.Address.Split('@')[0][stem.Key.Length..]);
                Assert.That(numbers.Select(number => int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)), Is.Ordered);
            }
        }
    }

    [Test]
    public void A_device_farm_has_real_apps_on_few_carrier_addresses()
    {
        foreach (var campaign in Only(Families.DeviceFarm, 900).GroupBy(s => s.Campaign))
        {
            Assert.That(campaign.All(s => s.Signup.Event.Channel == Channel.Android), Is.True);
            Assert.That(campaign.Select(s => s.Signup.Network.Ip).Distinct().Count(), Is.InRange(1, 10));
            Assert.That(campaign.Select(s => s.Signup.Device.UserAgent).Where(a => a.Length > 0).Distinct().Count(), Is.LessThanOrEqualTo(6));
            Assert.That(PerKey(campaign, s => s.Device.DeviceId), Is.InRange(1.2, 8));
        }
    }

    [Test]
    public void Aliases_lead_to_few_mailboxes_apart_from_the_relayed_ones()
    {
        foreach (var campaign in Only(Families.MailAliases, 600).GroupBy(s => s.Campaign))
        {
            var gmail = campaign.Select(s => s.Signup.Email.Address).Where(a => a.EndsWith("@gmail.com", StringComparison.Ordinal)).ToList();
            var mailboxes = gmail.Select(a => a.Split('@', '+')[0].Replace(".", "", StringComparison.Ordinal)).Distinct().Count();
            Assert.That(gmail.Count / (double)mailboxes, Is.GreaterThan(3));
            Assert.That(gmail, Is.Unique);
            Assert.That(campaign.Count(), Is.GreaterThan(gmail.Count), "some go over a relay");
        }
    }

    [Test]
    public void Catch_all_domains_are_registered_within_the_range_and_used_from_many_networks()
    {
        foreach (var domain in Only(Families.CatchAll, 900).GroupBy(s => s.Signup.Email.Address.Split('@')[1]).Where(d => d.Count() >= 10))
        {
            Assert.That(domain.Select(s => s.Signup.Network.Ip).Distinct().Count(), Is.GreaterThan(domain.Count() / 4));
            var looked = domain.Select(s => s.Signup).Where(s => s.Email.DomainRegisteredAt is not null);
            Assert.That(looked.All(s => s.OccurredAt.ToDateTimeOffset() - s.Email.DomainRegisteredAt.ToDateTimeOffset() < TimeSpan.FromDays(402)), Is.True);
        }
    }

    [Test]
    public void A_slow_drip_never_bursts_and_stays_in_its_subnet()
    {
        foreach (var campaign in Only(Families.SlowDrip, 450).GroupBy(s => s.Campaign))
        {
            Assert.That(campaign.Select(s => s.Signup.Network.Ip[..s.Signup.Network.Ip.LastIndexOf('.')]).Distinct().Count(), Is.EqualTo(1));
            var busiestHour = campaign.GroupBy(s => s.Signup.OccurredAt.Seconds / 3600).Max(hour => hour.Count());
            Assert.That(busiestHour, Is.LessThanOrEqualTo(9));
        }
    }

    [Test]
    public void Crowd_workers_share_nothing_hard()
    {
        var workers = Only(Families.CrowdWorkers, 600);
        Assert.That(workers.Where(s => s.Signup.Payment is not null).Select(s => s.Signup.Payment.InstrumentFingerprint), Is.Unique);
        Assert.That(workers.Where(s => s.Signup.Device.DeviceId.Length > 0).Select(s => s.Signup.Device.DeviceId), Is.Unique);
        Assert.That(workers.Where(s => s.Signup.Phone is not null).Select(s => s.Signup.Phone.Number), Is.Unique);
        Assert.That(workers.Select(s => s.Signup.Email.Address), Is.Unique);
    }

    [Test]
    public void Several_doors_share_cards_across_channels_and_networks()
    {
        var cards = Only(Families.SeveralDoors, 500).Select(s => s.Signup)
            .Where(s => s.Payment is not null)
            .GroupBy(s => s.Payment.InstrumentFingerprint)
            .Where(card => card.Count() >= 3)
            .ToList();
        Assert.That(cards, Is.Not.Empty);
        var several = cards.Count(card => card.Select(s => (s.Event.Channel, s.Subject.AccountType)).Distinct().Count() > 1);
        Assert.That(several / (double)cards.Count, Is.GreaterThan(0.7));
    }

    [Test]
    public void A_poisoner_uses_addresses_that_students_use()
    {
        var run = Run(14_000, new() { [Families.Poisoner] = 120 });
        var students = run.Where(s => !s.Fraud).Select(s => s.Signup.Network.Ip).ToHashSet();
        var poison = run.Where(s => s.Fraud).ToList();
        Assert.That(poison.Count(s => students.Contains(s.Signup.Network.Ip)) / (double)poison.Count, Is.GreaterThan(0.5));
    }

    [Test]
    public void Proxies_come_out_of_real_customers_lines_too()
    {
        var run = Run(8_000, new() { [Families.ResidentialCards] = 1_000, [Families.Hydra] = 2_000 });
        var customers = run.Where(s => !s.Fraud).Select(s => s.Signup.Network.Ip).ToHashSet();
        var onTheirs = run.Where(s => s.Fraud).Count(s => customers.Contains(s.Signup.Network.Ip));
        Assert.That(onTheirs / 3_000.0, Is.InRange(0.04, 0.45));
    }

    [Test]
    public void Attackers_signals_go_missing_like_everybodys()
    {
        var run = SimulationRun.Of(new SimulationOptions { Seed = 12, Benign = 8_000, Days = 7 }).ToLookup(s => s.Fraud, s => s.Signup);
        foreach (var (name, missing) in new (string, Func<Signup, bool>)[]
        {
            ("ja4", s => s.Network.Ja4.Length == 0),
            ("edge", s => s.Network.Edge is null),
            ("class", s => s.Network.Edge is { NetworkClass: NetworkClass.Unspecified }),
            ("anonymiser", s => s.Network.Edge is { HasAnonymiser: false }),
            ("fingerprint", s => s.Device.Fingerprint.Length == 0),
            ("time zone", s => s.Device.TimeZone.Length == 0),
            ("form", s => !s.Device.HasFormSeconds),
            ("name", s => s.Subject.FullName.Length == 0 && s.Subject.GivenName.Length == 0),
        })
        {
            double Share(bool fraud) => run[fraud].Count(missing) / (double)run[fraud].Count();
            Assert.That(Share(true), Is.EqualTo(Share(false)).Within(0.05), $"a gap in {name} would tell who attacks");
        }
    }

    [Test]
    public void Held_out_parameters_make_other_campaigns_of_the_same_families()
    {
        List<double> PerCard(ParameterSet set) =>
            [.. Enumerable.Range(1, 12).Select(seed => PerKey(Only(Families.Hydra, 1_200, (ulong)seed, set), s => s.Payment?.InstrumentFingerprint))];
        var held = PerCard(ParameterSet.HeldOut);
        Assert.That(PerCard(ParameterSet.Default), Is.All.InRange(3.4, 5.6));
        Assert.That(held.Min(), Is.LessThan(3.6));
        Assert.That(held.Max(), Is.GreaterThan(5.4));
    }
}
