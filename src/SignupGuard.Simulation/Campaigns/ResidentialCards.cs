using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Stolen cards tried through residential proxies in the cards' own country.</summary>
internal sealed class ResidentialCards : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<Card> _cards;
    private readonly double _zoneMatched;
    private readonly double _formSeconds;

    public ResidentialCards(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(CardCountries);
        _exits = Proxies([_country], setting.Draw(Parameters.ResidentialPerIp), 3);
        _profiles = Profiles(_country, setting.Draw(Parameters.ResidentialPerFingerprint), 3);
        var ranges = Several(setting.DrawCount(Parameters.ResidentialBins), () => Cards.Range(Random, _country));
        _cards = CardPool(ranges, setting.Draw(Parameters.ResidentialPerCard), 3);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
        _formSeconds = Random.Between(14.0, 45);
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Setting.Draw(Parameters.ResidentialDays)), Setting.Accounts, Operators);

    protected override Situation MakeAccount(long atMs)
    {
        var exit = Use("exit", _exits);
        var person = World.People.Person(Random, _country, phoneChance: 0.2);
        var card = Use("card", _cards);
        return Profile(Use("profile", _profiles), person, exit, _country, _zoneMatched, Worker(_formSeconds, 0.45)) with
        {
            // Half of them open the account in their own made-up name, half in the cardholder's.
            Card = Random.Chance(0.5) ? card : card with { Holder = person.FullName },
            Checks = StolenOdds,
        };
    }

    private static readonly IReadOnlyList<Country> CardCountries = Countries.Of("US", "US", "US", "GB", "CA", "AU", "FR", "BR", "MX");
}
