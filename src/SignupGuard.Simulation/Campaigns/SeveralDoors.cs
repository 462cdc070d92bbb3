using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// One hand at several doors at once: the web over proxies, a programme over VPN, the app on mobile lines, the partner form from servers. Each door alone
/// looks small; cards, number blocks and browser profiles are shared among them.
/// </summary>
internal sealed class SeveralDoors : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection>[] _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<Card> _cards;
    private readonly Rotation<string> _domains;
    private readonly string _block;
    private readonly double _zoneMatched;

    public SeveralDoors(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(Countries.Of("US", "GB", "BR", "FR", "CA"));
        var vpn = NetworkPool.Pick(Random, PoolClass.Vpn);
        var hosting = NetworkPool.Pick(Random, PoolClass.Hosting);
        var carrier = NetworkPool.Pick(Random, _country.Code, PoolClass.Carrier);
        _exits =
        [
            Proxies([_country], Random.Between(1.0, 3), 3),
            new Rotation<Connection>(Random, Random.Between(3.0, 7), 2, () => Surroundings.Vpn(Random, vpn)),
            new Rotation<Connection>(Random, Random.Between(2.0, 6), 3, () => Surroundings.CarrierAddress(Random, carrier)),
            new Rotation<Connection>(Random, Random.Between(2.0, 8), 2, () => Surroundings.Server(Random, hosting)),
        ];
        _profiles = Profiles(_country, setting.Draw(Parameters.DoorsPerFingerprint), 3);
        _cards = CardPool([Cards.VirtualRange(Random, _country), Cards.Range(Random, _country), Cards.Range(Random, _country)], setting.Draw(Parameters.DoorsPerCard), 4);
        _domains = new Rotation<string>(Random, Random.Between(8.0, 20), 2, () => World.People.CheapDomain(Random));
        _block = PeopleMaker.Digits(Random, Random.Pick(_country.Mobiles)[..^3]);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Random.Between(2.0, 8)), Setting.Accounts, Operators);

    protected override Situation MakeAccount(long atMs)
    {
        var door = Random.Below(_exits.Length);
        var exit = Use("exit", _exits[door]);
        var person = World.People.Person(Random, _country, phoneChance: 0);
        if (Random.Chance(door == 2 ? 0.8 : 0.2)) person = person with { Phone = PeopleMaker.Digits(Random, _block + "###") };
        if (door is 1 or 3)
        {
            person = World.People.At(Random, person, Use("mailbox", _domains), MailStyle.Corporate) with { DomainAgeDays = Random.Between(5, 90) };
        }
        var profile = Use("profile", _profiles);
        var situation = Profile(profile, person, exit, _country, _zoneMatched, Worker(26, 0.5)) with
        {
            Card = Random.Chance(0.8) ? Use("card", _cards) : null,
            Checks = VirtualOdds,
        };
        return door switch
        {
            1 => situation with { AccountType = AccountType.StartupProgramme, DeclaredUse = "prototype for our product" },
            2 => situation with
            {
                Channel = Channel.Android,
                Machine = MachineMaker.Make(Random, _country, MachineSystem.Android, app: true) with { Zone = _country.MainZone, Emulator = Random.Chance(0.3) },
            },
            3 => situation with { Channel = Channel.Partner },
            _ => situation,
        };
    }
}
