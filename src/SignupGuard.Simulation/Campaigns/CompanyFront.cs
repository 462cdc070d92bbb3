using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>A made-up company that fills a team: office line, own domain, one card, corporate names. It differs from a real one by little.</summary>
internal sealed class CompanyFront : Campaign
{
    private readonly Organisation _company;
    private readonly Connection _office;
    private readonly Machine[] _images;
    private readonly Card _card;
    private readonly Rotation<Connection> _remote;

    public CompanyFront(CampaignSetting setting)
        : base(setting)
    {
        var country = Random.Pick(Countries.Of("US", "GB", "DE", "NL", "CA", "AU"));
        _company = World.People.Company(Random, country, (int)setting.Draw(Parameters.FrontDomainAge));
        _office = Random.Chance(0.25) ? Surroundings.Vpn(Random) : Surroundings.Office(Random, country);
        _images = [MachineMaker.Image(Random, country), MachineMaker.Image(Random, country)];
        var range = Random.Chance(0.5) ? Cards.VirtualRange(Random, country) : Cards.Range(Random, country);
        _card = Cards.Card(Random, range, _company.Name, Cards.Home(Random, country), World.Year);
        _remote = Proxies([country], 1.5, 2);
    }

    protected override long[] Plan()
    {
        var window = Pacing.Window(Random, World, Setting.Draw(Parameters.FrontDays));
        return Pacing.Shifts(Random, window, Setting.Accounts, _images[0].Zone);
    }

    protected override Situation MakeAccount(long atMs)
    {
        var person = World.People.Person(Random, _company.Country, phoneChance: 0.15);
        person = World.People.At(Random, person, _company.Domain, MailStyle.Corporate) with { DomainAgeDays = _company.DomainAgeDays };
        return new Situation
        {
            Person = person,
            Machine = _images[Random.Rank(2, 1)] with { DeviceId = Random.Hex(32) },
            Connection = Random.Chance(0.15) ? Use("exit", _remote) : _office,
            Hand = Random.Chance(0.7) ? Hand.Human(Random, mobile: false) : Worker(32, 0.4),
            Card = Random.Chance(0.9) ? _card : null,
            AccountType = AccountType.Team,
            Organisation = Random.Chance(0.85) ? _company.Name : null,
            EmailVerified = 0.6,
        };
    }
}
