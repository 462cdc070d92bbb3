using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Populations;

/// <summary>The benign populations and their shares of benign signups.</summary>
public static class BenignPopulations
{
    public const string Household = "household";
    public const string CarrierNat = "carrier_nat";
    public const string Company = "company";
    public const string University = "university";
    public const string Privacy = "privacy";
    public const string Event = "event";
    public const string Cafe = "cafe";
    public const string Returning = "returning";

    /// <summary>Shares of benign signups, largest first; together 1.</summary>
    public static readonly IReadOnlyList<(string Name, double Share)> Shares =
    [
        (Household, 0.55), (CarrierNat, 0.22), (Company, 0.08), (Privacy, 0.08), (University, 0.05), (Event, 0.008), (Returning, 0.007), (Cafe, 0.005),
    ];

    internal static IEnumerable<Source> Make(Surroundings world, int benign)
    {
        var left = benign;
        var share = 1.0;
        foreach (var (name, part) in Shares.Reverse())
        {
            // Rounded so that the parts add up; the largest population, last, takes what is left.
            var count = name == Household ? left : Math.Min(left, (int)Math.Round(benign * part));
            left -= count;
            share -= part;
            if (count == 0) continue;
            yield return name switch
            {
                Household => new Households(world, name, count),
                CarrierNat => new MobileCustomers(world, name, count),
                Company => new Companies(world, name, count),
                University => new Universities(world, name, count),
                Privacy => new PrivacyMinded(world, name, count),
                Event => new Events(world, name, count),
                Cafe => new Cafes(world, name, count),
                _ => new ReturningCustomers(world, name, count),
            };
        }
    }
}

/// <summary>One to four people on a home line; a third share a machine, half of those who pay share a card.</summary>
internal sealed class Households(Surroundings world, string name, int count) : Population(world, name, count, work: false)
{
    private static readonly Weighted<int> Sizes = new((1, 52), (2, 27), (3, 13), (4, 8));

    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var size = Math.Min(peopleMax, Sizes.Pick(Random));
        var line = World.HomeLine(Random, country);
        var zone = country.Zones.Pick(Random);
        var family = Names.Family(Random, Random.Chance(0.9) ? country.Culture : Random.Pick(country.OtherCultures));
        var sharedMachine = size > 1 && Random.Chance(0.35) ? MachineMaker.Make(Random, country) with { Zone = zone } : null;
        var sharedCard = Random.Chance(0.5);
        Card? card = null;
        for (var i = 0; i < size; i++)
        {
            var offset = i == 0 ? 0 : Random.Below(20) switch
            {
                < 9 => (long)(Random.Exponential(20) * MinuteMs) + MinuteMs,
                < 16 => (long)(Random.Exponential(1.2) * DayMs),
                _ => (long)(Random.Between(1.0, 14) * DayMs),
            };
            var person = World.People.Person(Random, country, i == 0 || Random.Chance(0.75) ? family : null);
            var machine = sharedMachine ?? MachineMaker.Make(Random, country, app: Random.Chance(0.3)) with { Zone = zone };
            // Lines get another address when the router restarts.
            if (offset > DayMs && Random.Chance(0.25)) line = World.HomeLine(Random, country);
            var situation = Ordinary(person, machine, Surroundings.SameLine(Random, line), cardChance: 0.66);
            if (situation.Card is { } own)
            {
                if (card is null) card = own;
                else if (sharedCard) situation = situation with { Card = card };
            }
            yield return (offset, situation);
        }
    }
}

/// <summary>People on their phones, many behind one public address.</summary>
internal sealed class MobileCustomers(Surroundings world, string name, int count) : Population(world, name, count, work: false)
{
    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var ios = country.Code switch { "US" or "CA" or "GB" or "JP" or "AU" or "SE" or "CH" => 0.6, "DE" or "FR" or "NL" => 0.42, _ => 0.16 };
        var machine = MachineMaker.Make(Random, country, Random.Chance(ios) ? MachineSystem.Ios : MachineSystem.Android, app: Random.Chance(0.46));
        var person = World.People.Person(Random, country, phoneChance: 0.62);
        yield return (0, Ordinary(person, machine, World.Mobile(Random, country), cardChance: 0.58));
    }
}

/// <summary>A company opens accounts for its staff: one office address, two machine images, one card, a domain of its own.</summary>
internal sealed class Companies(Surroundings world, string name, int count) : Population(world, name, count, work: true)
{
    private static readonly string[] WorkUses =
    [
        "internal tools", "drafting documents", "customer support", "software development", "analysis of reports", "team workspace",
    ];

    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var size = Math.Min(peopleMax, Math.Clamp((int)Random.LogNormal(9, 0.75), 3, 40));
        var company = World.People.Company(Random, country);
        var office = Random.Chance(0.12) ? Surroundings.Gateway(Random) : Surroundings.Office(Random, country);
        // Some companies look into their staff's traffic: everybody has the gateway's handshake.
        var handshake = Random.Chance(0.14) ? Random.Pick(Handshakes.Inspected) : null;
        Machine[] images = [MachineMaker.Image(Random, country) with { Ja4Override = handshake }, MachineMaker.Image(Random, country) with { Ja4Override = handshake }];
        var zone = images[0].Zone;
        // Spend-management cards are virtual, and companies like them.
        var range = Random.Chance(0.25) ? Cards.VirtualRange(Random, country) : Cards.Range(Random, country);
        var card = Random.Chance(0.78) ? Cards.Card(Random, range, company.Name, Cards.Home(Random, country), World.Year) : null;
        var named = Random.Chance(0.86);
        var type = company.DomainAgeDays < 400 && Random.Chance(0.5) ? AccountType.StartupProgramme : Random.Chance(0.7) ? AccountType.Team : AccountType.Enterprise;
        var spreadMs = Random.Chance(0.6) ? Random.LogNormal(50, 0.8) * MinuteMs : Random.LogNormal(1.4, 0.5) * DayMs;
        for (var i = 0; i < size; i++)
        {
            var person = World.People.Person(Random, country, phoneChance: 0.22);
            var style = Random.Chance(0.94);
            person = World.People.At(Random, person, company.Domain, style ? MailStyle.Corporate : MailStyle.Personal) with { DomainAgeDays = company.DomainAgeDays };
            var remote = Random.Chance(0.17);
            var connection = remote ? World.HomeLine(Random, country) : office;
            var machine = Random.Chance(0.88) ? images[Random.Rank(2, 1)] with { DeviceId = Random.Hex(32) } : MachineMaker.Make(Random, country) with { Zone = zone };
            yield return (i == 0 ? 0 : (long)(Random.Unit() * spreadMs), Ordinary(person, machine, connection, cardChance: 0) with
            {
                Card = Random.Chance(0.9) ? card : null,
                AccountType = type,
                Organisation = named && Random.Chance(0.92) ? company.Name : null,
                DeclaredUse = Random.Chance(0.4) ? Random.Pick(WorkUses) : null,
                EmailVerified = 0.6,
                ReferralCode = null,
                MarketingCampaign = null,
            });
        }
    }
}

/// <summary>A course signs up in half an hour from one to four campus addresses, on lab images and own machines.</summary>
internal sealed class Universities(Surroundings world, string name, int count) : Population(world, name, count, work: true)
{
    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var all = World.Universities;
        // The university is open where it is day: try a few times to find one in the country.
        var university = all[Random.Rank(all.Count, 40)];
        for (var attempt = 0; attempt < 12 && university.Country != country; attempt++) university = all[Random.Below(all.Count)];
        country = university.Country;
        World.NoteCourse(university);
        var size = Math.Min(peopleMax, Math.Clamp((int)Random.LogNormal(26, 0.9), 3, 200));
        var lab = Random.Chance(0.4);
        var schoolMail = Random.Chance(0.75) ? Random.Between(0.6, 1.0) : 0.15;
        for (var i = 0; i < size; i++)
        {
            var person = World.People.Person(Random, country, phoneChance: 0.3);
            if (Random.Chance(schoolMail))
            {
                var style = Random.Chance(0.7) ? MailStyle.Corporate : MailStyle.Personal;
                person = World.People.At(Random, person, university.Domain, style) with { DomainAgeDays = university.DomainAgeDays };
            }
            var machine = lab && Random.Chance(0.8)
                ? university.Images[Random.Rank(university.Images.Count, 1)] with { DeviceId = Random.Hex(32) }
                : MachineMaker.Make(Random, country, app: Random.Chance(0.1));
            var connection = Random.Chance(0.9) ? university.Exits[Random.Rank(university.Exits.Count, 1)] : World.Mobile(Random, country);
            yield return (i == 0 ? 0 : (long)(Random.Unit() * 30 * MinuteMs), Ordinary(person, machine, connection, cardChance: 0.12) with
            {
                AccountType = Random.Chance(0.82) ? AccountType.Education : AccountType.Personal,
                Organisation = Random.Chance(0.7) ? university.Name : null,
                DeclaredUse = Random.Chance(0.3) ? "coursework" : null,
                EmailVerified = 0.55,
            });
        }
    }
}

/// <summary>People who hide on principle: VPNs, relays, Tor, hardened browsers, relayed mail, virtual cards.</summary>
internal sealed class PrivacyMinded(Surroundings world, string name, int count) : Population(world, name, count, work: false)
{
    private static readonly Weighted<string> RelayDomains = new(
        ("privaterelay.appleid.com", 46), ("duck.com", 18), ("mozmail.com", 12), ("simplelogin.com", 12), ("passmail.net", 12));

    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var kind = Random.Below(100);
        var person = World.People.Person(Random, country, phoneChance: 0.2);
        if (Random.Chance(0.24))
        {
            var domain = RelayDomains.Pick(Random);
            person = World.People.At(Random, person, domain, MailStyle.Random);
        }
        else if (Random.Chance(0.12))
        {
            // A domain of one's own.
            var company = World.People.Company(Random, country, (int)Math.Min(13_000, Random.LogNormal(1500, 0.9)));
            person = World.People.At(Random, person, company.Domain, MailStyle.Corporate) with { DomainAgeDays = company.DomainAgeDays };
        }
        Situation situation;
        if (kind < 62)
        {
            situation = Ordinary(person, MachineMaker.Make(Random, country, app: Random.Chance(0.2)), Surroundings.Vpn(Random), cardChance: 0.5);
        }
        else if (kind < 88)
        {
            var machine = MachineMaker.Make(Random, country, Random.Chance(0.65) ? MachineSystem.Ios : MachineSystem.MacOs) with { Browser = Browser.Safari };
            situation = Ordinary(person, machine, Surroundings.Relay(Random), cardChance: 0.6);
        }
        else if (kind < 96)
        {
            // Hardened Firefox: everybody claims UTC and one screen, and drawing is noise.
            var machine = MachineMaker.Make(Random, country, Random.Chance(0.6) ? MachineSystem.Windows : MachineSystem.Linux) with
            {
                Browser = Browser.Firefox,
                Zone = "UTC",
                Languages = "en-US,en;q=0.5",
                Screen = (1400, 900),
                FixedFingerprint = Random.Hex(32),
            };
            var connection = Random.Chance(0.6) ? Surroundings.Vpn(Random) : World.HomeLine(Random, country);
            situation = Ordinary(person, machine, connection, cardChance: 0.4) with { Missing = 1.8, Zone = null };
        }
        else
        {
            // Somebody at home whose employer's gateway or own server stands between.
            var connection = Random.Chance(0.6) ? Surroundings.Gateway(Random) : Surroundings.Server(Random);
            situation = Ordinary(person, MachineMaker.Make(Random, country), connection, cardChance: 0.5);
        }
        if (situation.Card is not null && Random.Chance(0.14))
        {
            situation = situation with
            {
                Card = Cards.Card(Random, Cards.VirtualRange(Random, country), person.FullName, Cards.Home(Random, country), World.Year),
            };
        }
        yield return (0, situation);
    }
}

/// <summary>A conference or hackathon: one wireless network, one invitation code, two hours.</summary>
internal sealed class Events(Surroundings world, string name, int count) : Population(world, name, count, work: true)
{
    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var size = Math.Min(peopleMax, Math.Clamp((int)Random.LogNormal(24, 0.6), 8, 90));
        var office = Surroundings.Office(Random, country);
        var code = "EVENT" + PeopleMaker.Digits(Random, "###");
        var announced = Random.Chance(0.7);
        for (var i = 0; i < size; i++)
        {
            var guest = Random.Chance(0.85) ? country : Random.Pick(Countries.All);
            var person = World.People.Person(Random, guest);
            var connection = Random.Chance(0.8) ? office : World.Mobile(Random, country);
            var machine = MachineMaker.Make(Random, guest, app: Random.Chance(0.15));
            yield return (i == 0 ? 0 : (long)(Random.Unit() * 2 * HourMs), Ordinary(person, machine, connection, cardChance: 0.3) with
            {
                ReferralCode = announced ? code : null,
                Zone = country.MainZone,
            });
        }
    }
}

/// <summary>Strangers on a café's or library's line, a few a day for weeks.</summary>
internal sealed class Cafes(Surroundings world, string name, int count) : Population(world, name, count, work: false)
{
    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var size = Math.Min(peopleMax, Random.Between(3, 14));
        var line = Surroundings.Office(Random, country);
        for (var i = 0; i < size; i++)
        {
            var person = World.People.Person(Random, country);
            yield return (i == 0 ? 0 : (long)(Random.Between(0.02, 12) * DayMs), Ordinary(person, MachineMaker.Make(Random, country), line, cardChance: 0.45));
        }
    }
}

/// <summary>People who forgot their account or want a second one: same machine, same card, another address.</summary>
internal sealed class ReturningCustomers(Surroundings world, string name, int count) : Population(world, name, count, work: false)
{
    protected override IEnumerable<(long, Situation)> Arrive(Country country, long atMs, int peopleMax)
    {
        var times = Math.Min(peopleMax, Random.Chance(0.8) ? 2 : 3);
        var person = World.People.Person(Random, country);
        var line = World.HomeLine(Random, country);
        var first = Ordinary(person, MachineMaker.Make(Random, country), Surroundings.SameLine(Random, line), cardChance: 0.6);
        for (var i = 0; i < times; i++)
        {
            var email = i == 0 ? person.Email : Random.Below(10) switch
            {
                // The very same mailbox, tagged.
                < 2 => person.Email.Replace("@", $"+{Random.Between(1, 9)}@", StringComparison.Ordinal),
                _ => World.People.FreeMail(Random, country, person.Given, person.Family, person.BirthYear),
            };
            yield return (i == 0 ? 0 : (long)(Random.Exponential(3) * DayMs), first with
            {
                Person = person with { Email = email },
                Connection = Surroundings.SameLine(Random, Random.Chance(0.75) ? line : World.HomeLine(Random, country)),
                Hand = Hand.Human(Random, first.Machine.Mobile),
                Card = Random.Chance(0.85) ? first.Card : null,
            });
        }
    }
}
