using SignupGuard.Simulation;
using SignupGuard.Simulation.Populations;
using SignupGuard.V1;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>Ordinary people are as the populations describe them.</summary>
public sealed class PopulationTests
{
    private static readonly Lazy<ILookup<string, Signup>> Run = new(() =>
        SimulationRun.Of(new SimulationOptions { Seed = 3, Benign = 12_000, Days = 7, Families = new Dictionary<string, int>() }).ToLookup(s => s.Group, s => s.Signup));

    [Test]
    public void Households_hold_one_to_four_people_a_line()
    {
        var lines = Run.Value[BenignPopulations.Household].Where(s => !s.Network.Ip.Contains(':')).GroupBy(s => s.Network.Ip).ToList();
        Assert.That(lines.Count(line => line.Count() <= 4) / (double)lines.Count, Is.GreaterThan(0.995));
        Assert.That(lines.Count(line => line.Count() > 1), Is.GreaterThan(lines.Count / 8));
    }

    [Test]
    public void Some_households_share_a_machine_and_a_card_and_never_more_than_four_accounts_on_either()
    {
        var people = Run.Value[BenignPopulations.Household].ToList();
        foreach (var keys in new Func<Signup, string?>[] { s => s.Device.DeviceId, s => s.Payment?.InstrumentFingerprint })
        {
            var groups = people.Where(s => !string.IsNullOrEmpty(keys(s))).GroupBy(keys).ToList();
            Assert.That(groups.Max(group => group.Count()), Is.InRange(2, 4));
            Assert.That(groups.Count(group => group.Count() > 1), Is.GreaterThan(groups.Count / 20));
        }
    }

    [Test]
    public void Mobile_customers_share_public_addresses_with_strangers()
    {
        var shared = Run.Value[BenignPopulations.CarrierNat].Where(s => !s.Network.Ip.Contains(':')).GroupBy(s => s.Network.Ip).Where(group => group.Count() > 1).ToList();
        Assert.That(shared, Has.Count.GreaterThan(20));
        Assert.That(shared.SelectMany(group => group).Where(s => s.Payment is not null).Select(s => s.Payment.InstrumentFingerprint), Is.Unique);
    }

    [Test]
    public void A_rollout_has_one_domain_one_card_and_at_most_two_images_and_some_strays()
    {
        var rollouts = Run.Value[BenignPopulations.Company].GroupBy(s => s.Email.Address.Split('@')[1]).ToList();
        Assert.That(rollouts.Max(rollout => rollout.Count()), Is.InRange(10, 40));
        foreach (var rollout in rollouts)
        {
            Assert.That(rollout.Where(s => s.Payment is not null).Select(s => s.Payment.InstrumentFingerprint).Distinct().Count(), Is.LessThanOrEqualTo(1), rollout.Key);
            var names = rollout.Select(s => s.Subject.Organisation).Where(name => name.Length > 0).Distinct();
            Assert.That(names.Count(), Is.LessThanOrEqualTo(1), rollout.Key);
        }
        var large = rollouts.Where(rollout => rollout.Count() >= 10).ToList();
        // Most staff are on two machine images; a browser's new version may double the fingerprints.
        double OnImages(IGrouping<string, Signup> rollout) =>
            rollout.GroupBy(s => s.Device.Fingerprint).OrderByDescending(image => image.Count()).Take(4).Sum(image => image.Count()) / (double)rollout.Count();
        Assert.That(large.Average(OnImages), Is.GreaterThan(0.75));
        bool Aged(Signup s) => s.Email.DomainRegisteredAt is { } at && s.OccurredAt.ToDateTimeOffset() - at.ToDateTimeOffset() > TimeSpan.FromDays(365);
        Assert.That(rollouts.Count(rollout => rollout.Any(Aged)) / (double)rollouts.Count, Is.GreaterThan(0.8));
    }

    [Test]
    public void Courses_sign_up_within_half_an_hour_from_few_campus_addresses()
    {
        var campus = Run.Value[BenignPopulations.University]
            .Where(s => s.Network.Edge?.NetworkClass is NetworkClass.Education or NetworkClass.Business)
            .GroupBy(s => s.Network.Ip)
            .ToList();
        Assert.That(campus.Max(group => group.Count()), Is.GreaterThan(20));
        var busiest = campus.MaxBy(group => group.Count())!.Select(s => s.OccurredAt.ToDateTimeOffset()).Order().ToList();
        // Most come within half an hour of somebody: bursts, not a trickle.
        Assert.That(busiest.Where((at, i) => i > 0 && at - busiest[i - 1] < TimeSpan.FromMinutes(30)).Count(), Is.GreaterThan(busiest.Count * 0.8));
    }

    [Test]
    public void The_privacy_minded_come_over_rented_networks_and_relayed_mail()
    {
        var people = Run.Value[BenignPopulations.Privacy].ToList();
        var rented = people.Count(s => s.Network.Edge?.NetworkClass is NetworkClass.Vpn or NetworkClass.Hosting or NetworkClass.Relay);
        Assert.That(rented / (double)people.Count, Is.InRange(0.5, 0.95));
        Assert.That(people.Count(s => s.Email.Address.Split('@')[1] is "duck.com" or "privaterelay.appleid.com"), Is.GreaterThan(people.Count / 20));
        Assert.That(people.Count(s => s.Device.TimeZone == "UTC"), Is.GreaterThan(0));
    }

    [Test]
    public void People_who_sign_up_again_keep_their_machine_and_change_their_address()
    {
        var people = Run.Value[BenignPopulations.Returning]
            .Where(s => s.Device.DeviceId.Length > 0)
            .GroupBy(s => s.Device.DeviceId)
            .Where(group => group.Count() > 1)
            .ToList();
        Assert.That(people, Is.Not.Empty);
        foreach (var person in people)
        {
            Assert.That(person.Select(s => s.Email.Address), Is.Unique);
            Assert.That(person.Count(), Is.LessThanOrEqualTo(3));
        }
    }

    [Test]
    public void Between_ten_and_thirty_percent_of_most_signals_are_missing()
    {
        var all = Run.Value.SelectMany(group => group).ToList();
        double Share(Func<Signup, bool> missing) => all.Count(missing) / (double)all.Count;
        Assert.Multiple(() =>
        {
            Assert.That(Share(s => s.Device.Fingerprint.Length == 0), Is.InRange(0.08, 0.3));
            Assert.That(Share(s => s.Device.DeviceId.Length == 0), Is.InRange(0.1, 0.35));
            Assert.That(Share(s => s.Network.Ja4.Length == 0), Is.InRange(0.1, 0.3));
            Assert.That(Share(s => s.Device.TimeZone.Length == 0), Is.InRange(0.08, 0.3));
            Assert.That(Share(s => s.Network.Edge is null), Is.InRange(0.1, 0.3));
            Assert.That(Share(s => !s.Device.HasFormSeconds), Is.InRange(0.1, 0.3));
        });
    }

    [Test]
    public void No_mailbox_and_hardly_a_number_is_taken_twice()
    {
        var all = Run.Value.SelectMany(group => group).ToList();
        Assert.That(all.Select(s => s.Email.Address), Is.Unique);
        var strangers = all.Except(Run.Value[BenignPopulations.Returning]).Where(s => s.Phone is not null).Select(s => s.Phone.Number).ToList();
        Assert.That(strangers.Count - strangers.Distinct().Count(), Is.Zero);
    }

    [Test]
    public void Machines_say_one_thing()
    {
        var (lists, spoofed) = (0, 0);
        foreach (var signup in Run.Value.SelectMany(group => group).Where(s => s.Device.UserAgent.Length > 0))
        {
            var (agent, hints) = (signup.Device.UserAgent, signup.Device.ClientHints);
            if (hints.TryGetValue("platform", out var platform))
            {
                var token = platform switch { "\"Windows\"" => "Windows NT", "\"macOS\"" => "Macintosh", "\"Linux\"" => "X11; Linux", _ => "Android" };
                Assert.That(agent, Does.Contain(token));
                Assert.That(hints["mobile"] == "?1", Is.EqualTo(agent.Contains("Mobile", StringComparison.Ordinal)));
                Assert.That(agent, Does.Contain("Chrome/"));
            }
            if (signup.Event.Channel == Channel.Ios) Assert.That(agent, Does.Contain("iPhone"));
            if (signup.Event.Channel == Channel.Android) Assert.That(agent, Does.Contain("Android"));
            if (hints.TryGetValue("full-version-list", out var list) && !agent.Contains("SamsungBrowser", StringComparison.Ordinal))
            {
                var major = agent[(agent.IndexOf("Chrome/", StringComparison.Ordinal) + 7)..].Split('.')[0];
                lists++;
                if (!list.Contains($"\"Chromium\";v=\"{major}.", StringComparison.Ordinal)) spoofed++;
            }
        }
        // But for the few who claim another version than they have.
        Assert.That(spoofed / (double)lists, Is.LessThan(0.005));
    }
}
