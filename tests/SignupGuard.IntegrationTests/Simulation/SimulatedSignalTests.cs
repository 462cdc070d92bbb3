using SignupGuard.Core.Signals;
using SignupGuard.IntegrationTests.Signals;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.Simulation.Populations;

namespace SignupGuard.IntegrationTests.Simulation;

/// <summary>What the product's own validation and collectors make of simulated signups: ordinary people must look ordinary to them.</summary>
public sealed class SimulatedSignalTests
{
    private static readonly Lazy<IReadOnlyList<(SimulatedSignup Simulated, SignupSignals Signals)>> Run = new(() =>
    [
        .. SimulationRun.Of(new SimulationOptions { Seed = 31, Benign = 6_000, Days = 5 })
            .Select(simulated => (simulated, SignalFixture.Signals.Collect(SignupMap.ToCore(simulated.Signup)))),
    ]);

    [Test]
    public void Every_signup_passes_the_services_validation()
    {
        var validation = new RequestValidation(new ManualClock(SignalFixture.Now));
        var violations = Run.Value.SelectMany(s => validation.Check(s.Simulated.Signup)).Select(v => $"{v.Field}: {v.Code}").Distinct().ToList();
        Assert.That(violations, Is.Empty);
    }

    [Test]
    public void Every_phone_number_is_valid_in_its_country()
    {
        var phones = Run.Value.Where(s => s.Simulated.Signup.Phone is not null).Select(s => (s.Simulated.Signup.Phone.Number, s.Signals.Phone)).ToList();
        Assert.That(phones, Has.Count.GreaterThan(1_000));
        var wrong = phones.Where(p => p.Phone.Value is not { Valid: true, LineType: "mobile" or "fixed_or_mobile" });
        Assert.That(wrong.Select(p => $"{p.Number} {p.Phone.Value?.LineType}"), Is.Empty);
    }

    [Test]
    public void No_ordinary_machine_contradicts_itself()
    {
        var impossible = Run.Value.Where(s => !s.Simulated.Fraud && s.Signals.Device.Value is { Impossible.Count: > 0 })
            .Select(s => $"{string.Join(',', s.Signals.Device.Value!.Impossible)} {s.Simulated.Signup.Event.Channel} {s.Simulated.Signup.Device.UserAgent}")
            .ToList();
        // A few people claim another version than they have, and are seen to.
        Assert.That(impossible.Where(found => !found.StartsWith("HINT_VERSION_MISMATCH ", StringComparison.Ordinal)).Distinct(), Is.Empty);
        Assert.That(impossible.Count / (double)Run.Value.Count, Is.LessThan(0.003));
    }

    [Test]
    public void Browsers_systems_and_languages_are_recognised_and_nobody_ordinary_is_a_bot()
    {
        var devices = Run.Value.Where(s => !s.Simulated.Fraud && s.Simulated.Signup.Device.UserAgent.Length > 0)
            .Select(s => (s.Simulated.Signup.Device, Seen: s.Signals.Device.Value!))
            .ToList();
        var web = devices.Where(d => d.Device.AppVersion.Length == 0);
        Assert.That(web.Where(d => d.Seen.Browser is null || d.Seen.BrowserMajor is null || d.Seen.Os is null).Select(d => d.Device.UserAgent).Distinct(), Is.Empty);
        Assert.That(devices.Where(d => d.Seen.Bot == true || d.Seen.Headless == true).Select(d => d.Device.UserAgent).Distinct(), Is.Empty);
        Assert.That(devices.Where(d => d.Seen.OffsetMatchesZone == false).Select(d => $"{d.Device.TimeZone} {d.Device.UtcOffsetMinutes}").Distinct(), Is.Empty);
    }

    [Test]
    public void Address_and_zone_of_people_at_home_agree_but_for_travellers()
    {
        var known = Run.Value.Where(s => s.Simulated.Group == BenignPopulations.Household && s.Signals.Ip.Value?.TimeZoneMatches is not null).ToList();
        Assert.That(known.Count(s => s.Signals.Ip.Value!.TimeZoneMatches == true) / (double)known.Count, Is.InRange(0.96, 0.995));
    }

    [Test]
    public void Mail_providers_are_known_and_companies_domains_are_their_own()
    {
        var home = Run.Value.Where(s => s.Simulated.Group == BenignPopulations.Household).Select(s => s.Signals.Email.Value!).ToList();
        // A few small providers are on no list; their customers share a domain all the same.
        Assert.That(home.Count(e => e.Free == true) / (double)home.Count, Is.InRange(0.98, 1));
        var companies = Run.Value.Where(s => s.Simulated.Group == BenignPopulations.Company).Select(s => s.Signals.Email.Value!).ToList();
        Assert.That(companies.Where(e => e.Free != false || e.Disposable == true).Select(e => e.Domain).Distinct(), Is.Empty);
    }

    [Test]
    public void Canonical_addresses_tie_aliases_to_one_mailbox_and_strangers_to_none()
    {
        var aliases = Run.Value.Where(s => s.Simulated.Group == Families.MailAliases && s.Signals.Email.Value!.Domain == "gmail.com")
            .GroupBy(s => s.Signals.Email.Value!.Canonical)
            .ToList();
        Assert.That(aliases.Average(mailbox => mailbox.Count()), Is.GreaterThan(3));
        var strangers = Run.Value.Where(s => !s.Simulated.Fraud && s.Simulated.Group != BenignPopulations.Returning)
            .Select(s => s.Signals.Email.Value!.Canonical)
            .ToList();
        Assert.That(strangers.Count - strangers.Distinct().Count(), Is.Zero);
    }
}
