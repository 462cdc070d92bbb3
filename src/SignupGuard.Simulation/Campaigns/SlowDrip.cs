using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>One account every hour or so from one small subnet, as long as the run lasts: nothing bursts.</summary>
internal sealed class SlowDrip : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<Card> _cards;
    private readonly double _zoneMatched;

    public SlowDrip(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(Countries.All);
        var network = Random.Chance(0.3)
            ? NetworkPool.Pick(Random, PoolClass.Hosting)
            : NetworkPool.Pick(Random, _country.Code, Random.Chance(0.5) ? PoolClass.Business : PoolClass.Residential);
        var subnet = (uint)Random.Next() & ~255u;
        var perAddress = setting.Draw(Parameters.DripPerIp);
        _exits = new Rotation<Connection>(Random, perAddress, 2, () => Surroundings.Connect(network, network.Ipv4(subnet + (uint)Random.Between(4, 250))));
        _profiles = Profiles(_country, setting.Draw(Parameters.DripPerFingerprint), 2);
        _cards = CardPool(Several(Random.Between(2, 5), () => Cards.Range(Random, _country)), setting.Draw(Parameters.DripPerCard), 2);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
    }

    protected override long[] Plan()
    {
        var startMs = World.StartMs + (long)(Random.Unit() * 0.2 * (World.EndMs - World.StartMs));
        return Pacing.Steady(Random, (startMs, World.EndMs), Setting.Accounts);
    }

    protected override Situation MakeAccount(long atMs)
    {
        var person = World.People.Person(Random, _country, phoneChance: 0.15);
        var hand = Random.Chance(0.6) ? Hand.Human(Random, mobile: false) : Worker(35, 0.5);
        return Profile(Use("profile", _profiles), person, Use("exit", _exits), _country, _zoneMatched, hand) with
        {
            Card = Random.Chance(0.85) ? Use("card", _cards) with { Holder = person.FullName } : null,
            Checks = StolenOdds,
        };
    }
}
