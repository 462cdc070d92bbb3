using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>A script on rented servers: fast forms, few fingerprints, a library's handshake, addresses of hosting networks.</summary>
internal sealed class DatacentreScript : Campaign
{
    private readonly Rotation<Connection> _servers;
    private readonly Machine[] _disguises;
    private readonly double _automationSeen;
    private readonly double _formSeconds;
    private readonly string? _domain;
    private readonly Rotation<Card>? _cards;
    private readonly Country _claimed;

    public DatacentreScript(CampaignSetting setting)
        : base(setting)
    {
        var networks = Enumerable.Range(0, Random.Between(1, 3)).Select(_ => NetworkPool.Pick(Random, PoolClass.Hosting)).ToList();
        _servers = new Rotation<Connection>(Random, setting.Draw(Parameters.DatacentrePerIp), 4, () => Surroundings.Server(Random, Random.Pick(networks)));
        _claimed = Countries.Of(Random.Chance(0.6) ? "US" : networks[0].Country is "CY" or "SG" ? "GB" : networks[0].Country);
        var headless = Random.Chance(0.5);
        _disguises = [.. Enumerable.Range(0, setting.DrawCount(Parameters.DatacentreFingerprints)).Select(_ => MachineMaker.Make(Random, _claimed, Random.Chance(0.5) ? MachineSystem.Windows : MachineSystem.Linux) with
        {
            Browser = Browser.Chrome,
            FixedFingerprint = Random.Hex(32),
            Zone = Random.Chance(0.6) ? "UTC" : Operators,
            HintsMissing = !headless,
            Ja4Override = headless ? Random.Chance(0.5) ? Handshakes.HeadlessChromium : null : Random.Below(3) switch { 0 => Handshakes.Python, 1 => Handshakes.Go, _ => Handshakes.Node },
            Quic = false,
        })];
        _automationSeen = headless ? setting.Draw(Parameters.DatacentreAutomation) : 0;
        _formSeconds = Random.Between(0.9, 9.0);
        _domain = Random.Chance(0.35) ? World.People.CheapDomain(Random) : null;
        if (Random.Chance(0.55))
            _cards = CardPool([Cards.VirtualRange(Random, _claimed), Cards.VirtualRange(Random, _claimed)], Random.Between(1.0, 4), 2);
    }

    protected override long[] Plan()
    {
        var window = Pacing.Window(Random, World, Setting.Draw(Parameters.DatacentreHours) / 24);
        return Random.Chance(0.5)
            ? Pacing.Steady(Random, window, Setting.Accounts)
            : Pacing.Waves(Random, window, Setting.Accounts, Random.Between(15, 60), Random.Between(3.0, 15));
    }

    protected override Situation MakeAccount(long atMs)
    {
        var person = World.People.Person(Random, _claimed, phoneChance: 0.08);
        if (_domain is not null)
            person = person with { Email = World.People.Mailbox(Random, _domain, person.Given, person.Family, person.BirthYear, MailStyle.Random), DomainAgeDays = 5 };
        else if (Random.Chance(0.6))
            person = person with { Email = World.People.Mailbox(Random, Random.Pick(["gmail.com", "outlook.com", "hotmail.com"]), person.Given, person.Family, person.BirthYear, MailStyle.Random) };
        var machine = Random.Pick(_disguises);
        var hand = Worker(_formSeconds, 0.25) with { TypingMs = Math.Round(Random.Between(4.0, 40), 1), Pasted = Random.Chance(0.7), SessionSeconds = (uint)Random.Between(2, 25) };
        return new Situation
        {
            Person = person,
            Machine = machine with { DeviceId = Random.Hex(32), Automation = Random.Chance(_automationSeen) },
            Connection = Use("exit", _servers),
            Hand = hand with { Honeypot = Random.Chance(0.04) },
            Card = _cards is not null ? Use("card", _cards) : null,
            Checks = VirtualOdds,
            EmailVerified = 0.35,
            Missing = 1.3,
        };
    }
}
