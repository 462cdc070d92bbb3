using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>A fresh virtual card for every account, all of one or two ranges, with mailboxes numbered in sequence.</summary>
internal sealed class VirtualBin : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly CardRange[] _ranges;
    private readonly Rotation<Stem> _stems;
    private readonly double _zoneMatched;
    private readonly double _formSeconds;

    public VirtualBin(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(FintechCountries);
        _exits = Proxies([_country], setting.Draw(Parameters.VirtualPerIp), 3);
        _profiles = Profiles(_country, setting.Draw(Parameters.VirtualPerFingerprint), 3);
        _ranges = Several(setting.DrawCount(Parameters.VirtualBins), () => Cards.VirtualRange(Random, _country));
        _stems = new Rotation<Stem>(Random, setting.Draw(Parameters.VirtualSequence), 2, () => new Stem(
            Names.Given(Random, _country.Culture).Plain + Names.Family(Random, _country.Culture).Plain,
            Random.Pick(["gmail.com", "outlook.com", "hotmail.com", "yahoo.com"]),
            Random.Between(1, 4000)));
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
        _formSeconds = Random.Between(10.0, 35);
    }

    protected override long[] Plan()
    {
        var window = Pacing.Window(Random, World, Setting.Draw(Parameters.VirtualDays));
        return Random.Chance(0.5)
            ? Pacing.Shifts(Random, window, Setting.Accounts, Operators)
            : Pacing.Waves(Random, window, Setting.Accounts, Random.Between(8, 40), Random.Between(8.0, 40));
    }

    protected override Situation MakeAccount(long atMs)
    {
        var stem = Use("mailbox", _stems);
        stem.Number += Random.Chance(0.8) ? 1 : Random.Between(2, 4);
        var person = World.People.Person(Random, _country, phoneChance: 0.12) with { Email = $"{stem.Text}{stem.Number}@{stem.Domain}" };
        World.People.Take(person.Email);
        var range = Random.Pick(_ranges);
        return Profile(Use("profile", _profiles), person, Use("exit", _exits), _country, _zoneMatched, Worker(_formSeconds, 0.35)) with
        {
            Card = Cards.Card(Random, range, person.FullName, Cards.Home(Random, _country), World.Year),
            Checks = VirtualOdds,
        };
    }

    private static readonly IReadOnlyList<Country> FintechCountries = Countries.Of("US", "US", "GB", "BR", "IN", "PL", "ES");

    private sealed class Stem(string text, string domain, int number)
    {
        public string Text => text;

        public string Domain => domain;

        public int Number { get; set; } = number;
    }
}
