using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Shelves of phones on mobile lines: real apps, real carriers, few models; devices come back after a reset under another id.</summary>
internal sealed class DeviceFarm : Campaign
{
    private readonly Country _country;
    private readonly Phone[] _phones;
    private readonly Connection[] _addresses;
    private readonly string[] _blocks;
    private readonly double _perReset;
    private readonly bool _scripted;

    public DeviceFarm(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(FarmCountries);
        var network = NetworkPool.Pick(Random, _country.Code, PoolClass.Carrier);
        _addresses = Several(setting.DrawCount(Parameters.FarmAddresses), () => Surroundings.CarrierAddress(Random, network));
        Machine[] models = [MachineMaker.Make(Random, _country, MachineSystem.Android, app: true), MachineMaker.Make(Random, _country, MachineSystem.Android, app: true)];
        var rooted = Random.Chance(0.3);
        _phones = [.. Enumerable.Range(0, setting.DrawCount(Parameters.FarmPhones)).Select(_ => new Phone(models[Random.Rank(2, 1)] with
        {
            Variant = (ulong)Random.Rank(24, 2),
            Rooted = rooted && Random.Chance(0.4),
            Zone = _country.MainZone,
        }))];
        _blocks = Several(setting.DrawCount(Parameters.FarmPrefixes), () => PeopleMaker.Digits(Random, Random.Pick(_country.Mobiles)[..^3]));
        _perReset = setting.Draw(Parameters.FarmPerReset);
        _scripted = Random.Chance(0.5);
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Setting.Draw(Parameters.FarmDays)), Setting.Accounts, _country.MainZone);

    protected override Situation MakeAccount(long atMs)
    {
        var phone = Random.Pick(_phones);
        if (phone.Left-- <= 0)
        {
            phone.Machine = phone.Machine with { DeviceId = Random.Hex(32) };
            phone.Left = (int)(_perReset * Random.Between(0.6, 1.4));
        }
        var person = World.People.Person(Random, _country, phoneChance: 0);
        if (Random.Chance(0.75)) person = person with { Phone = PeopleMaker.Digits(Random, Random.Pick(_blocks) + "###") };
        return new Situation
        {
            Person = person,
            Machine = phone.Machine,
            Connection = Random.Pick(_addresses),
            Hand = _scripted ? Worker(22, 0.2) : Hand.Human(Random, mobile: true),
            Channel = Channel.Android,
            Card = Random.Chance(0.15) ? Cards.Card(Random, Cards.VirtualRange(Random, _country), person.FullName, Cards.Home(Random, _country), World.Year) : null,
            Checks = VirtualOdds,
            EmailVerified = 0.55,
            PhoneVerified = 0.9,
        };
    }

    private static readonly IReadOnlyList<Country> FarmCountries = Countries.Of("ID", "PH", "VN", "IN", "BR", "TR", "NG", "GB");

    private sealed class Phone(Machine machine)
    {
        public Machine Machine { get; set; } = machine;

        public int Left { get; set; } = 1;
    }
}
