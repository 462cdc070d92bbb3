using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// Wants the honest to be denied: signs up from a university's addresses on its lab image, with stolen cards and throw-away mailboxes, so that the
/// university's keys look bad.
/// </summary>
internal sealed class Poisoner(CampaignSetting setting) : Campaign(setting)
{
    private University? _university;
    private Rotation<Card>? _cards;

    protected override long[] Plan()
    {
        var visits = Setting.DrawCount(Parameters.PoisonerVisits);
        var window = Pacing.Window(Random, World, 0.6 * Setting.Options.Days);
        return Pacing.Waves(Random, window, Setting.Accounts, Math.Max(1, Setting.Accounts / visits), 12);
    }

    protected override Situation MakeAccount(long atMs)
    {
        // Chosen when it begins: one whose students sign up, or there would be nobody to hurt.
        _university ??= World.BusyUniversity(Random);
        var country = _university.Country;
        _cards ??= CardPool([Cards.Range(Random, country), Cards.VirtualRange(Random, country)], Random.Between(2.0, 4), 2);
        var person = World.People.Person(Random, country, phoneChance: 0.05);
        return new Situation
        {
            Person = person,
            Machine = _university.Images[Random.Rank(_university.Images.Count, 1)] with { DeviceId = Random.Hex(32) },
            Connection = Random.Pick(_university.Exits),
            Hand = Worker(18, 0.4),
            Card = Random.Chance(0.6) ? Use("card", _cards) : null,
            Checks = StolenOdds,
            AccountType = Random.Chance(0.7) ? AccountType.Education : AccountType.Personal,
            Organisation = Random.Chance(0.5) ? _university.Name : null,
        };
    }
}
