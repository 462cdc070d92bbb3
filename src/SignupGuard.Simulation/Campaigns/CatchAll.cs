using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Domains bought by the dozen that accept every address, reached through dispersed proxies.</summary>
internal sealed class CatchAll : Campaign
{
    private readonly Country[] _countries;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<(string Name, int AgeDays)> _domains;
    private readonly Rotation<Card>? _cards;
    private readonly MailStyle _style;
    private readonly double _zoneMatched;

    public CatchAll(CampaignSetting setting)
        : base(setting)
    {
        _countries = Several(Random.Between(1, 4), () => Random.Pick(Countries.All));
        _exits = Proxies(_countries, Random.Between(1.0, 2.5), 3);
        _profiles = Profiles(_countries[0], setting.Draw(Parameters.CatchAllPerFingerprint), 3);
        var perDomain = setting.Draw(Parameters.CatchAllPerDomain);
        _domains = new Rotation<(string, int)>(Random, perDomain, 3, () => (World.People.CheapDomain(Random), (int)setting.Draw(Parameters.CatchAllDomainAge)));
        if (Random.Chance(0.45)) _cards = CardPool([Cards.VirtualRange(Random, _countries[0]), Cards.Range(Random, _countries[0])], Random.Between(2.0, 5), 2);
        _style = Random.Chance(0.5) ? MailStyle.Personal : Random.Chance(0.5) ? MailStyle.Corporate : MailStyle.Random;
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Setting.Draw(Parameters.CatchAllDays)), Setting.Accounts, Operators);

    protected override Situation MakeAccount(long atMs)
    {
        var exit = Use("exit", _exits);
        var country = Countries.Of(exit.Country);
        var (domain, age) = Use("mailbox", _domains);
        var person = World.People.Person(Random, country, phoneChance: 0.06);
        person = World.People.At(Random, person, domain, _style) with { DomainAgeDays = age };
        return Profile(Use("profile", _profiles), person, exit, country, _zoneMatched, Worker(20, 0.4)) with
        {
            Card = _cards is not null && Random.Chance(0.8) ? Use("card", _cards) : null,
            Checks = VirtualOdds,
            EmailVerified = 0.7,
        };
    }
}
