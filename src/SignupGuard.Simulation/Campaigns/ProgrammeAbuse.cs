using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Education and start-up programmes milked over VPN exits, with mailboxes bought at a few school or start-up domains and the same stories.</summary>
internal sealed class ProgrammeAbuse : Campaign
{
    private readonly Country _country;
    private readonly bool _school;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly (string Name, string Domain, int AgeDays)[] _doors;
    private readonly string[] _stories;
    private readonly double _zoneMatched;

    public ProgrammeAbuse(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(Countries.Of("US", "GB", "DE", "CA", "AU", "IN"));
        _school = Random.Chance(0.6);
        var networks = Several(Random.Between(1, 3), () => NetworkPool.Pick(Random, PoolClass.Vpn));
        _exits = new Rotation<Connection>(Random, setting.Draw(Parameters.ProgrammePerIp), 4, () => Surroundings.Vpn(Random, Random.Pick(networks)));
        _profiles = Profiles(_country, setting.Draw(Parameters.ProgrammePerFingerprint), 3);
        _doors = Several(setting.DrawCount(Parameters.ProgrammeDomains), () => Door());
        _stories = Several(Random.Between(2, 4), () => Random.Pick(Stories));
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Setting.Draw(Parameters.ProgrammeDays)), Setting.Accounts, Operators);

    protected override Situation MakeAccount(long atMs)
    {
        var (name, domain, age) = Random.Pick(_doors);
        var person = World.People.Person(Random, _country, phoneChance: 0.05);
        person = World.People.At(Random, person, domain, _school ? MailStyle.Personal : MailStyle.Corporate) with { DomainAgeDays = age };
        return Profile(Use("profile", _profiles), person, Use("exit", _exits), _country, _zoneMatched, Worker(40, 0.4)) with
        {
            AccountType = _school ? AccountType.Education : AccountType.StartupProgramme,
            Organisation = Random.Chance(0.8) ? name : null,
            DeclaredUse = Random.Chance(0.7) ? Random.Pick(_stories) : null,
            EmailVerified = 0.8,
        };
    }

    private (string Name, string Domain, int AgeDays) Door()
    {
        if (!_school)
        {
            var company = World.People.Company(Random, _country, Random.Between(3, 150));
            return (company.Name, company.Domain, company.DomainAgeDays);
        }
        // Mailboxes of real schools are sold too; the run's own universities are among them.
        var known = World.Universities.Where(university => university.Country == _country).ToList();
        if (known.Count > 0 && Random.Chance(0.3))
        {
            var university = Random.Pick(known);
            return (university.Name, university.Domain, university.DomainAgeDays);
        }
        var place = Names.Family(Random, _country.Culture);
        return ($"{place.Written} Community College", $"{place.Plain}college{Random.Between(2, 99)}.{_country.AcademicDomain}", Random.Between(300, 5000));
    }

    private static readonly string[] Stories =
    [
        "machine learning coursework", "building an assistant for small shops", "my final year project", "research on language models",
        "a platform for tutoring", "class assignment in data science",
        "prototype for our seed round", "teaching assistant tools",
    ];
}
