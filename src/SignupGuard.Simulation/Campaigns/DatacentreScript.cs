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
    private readonly bool _disposable;
    private readonly Rotation<Card>? _cards;
    private readonly Country _claimed;

    public DatacentreScript(CampaignSetting setting)
        : base(setting)
    {
        var networks = Several(Random.Between(1, 3), () => NetworkPool.Pick(Random, PoolClass.Hosting));
        _servers = new Rotation<Connection>(Random, setting.Draw(Parameters.DatacentrePerIp), 4, () => Surroundings.Server(Random, Random.Pick(networks)));
        // Where the servers are, or where most customers are.
        _claimed = Countries.Of(Random.Chance(0.6) ? "US" : networks[0].Country is "CY" or "SG" ? "GB" : networks[0].Country);
        var headless = Random.Chance(0.5);
        _disguises = Several(setting.DrawCount(Parameters.DatacentreFingerprints), () => Disguise(headless));
        _automationSeen = headless ? setting.Draw(Parameters.DatacentreAutomation) : 0;
        _formSeconds = Random.Between(0.9, 9.0);
        _disposable = Random.Chance(0.25);
        _domain = Random.Chance(0.35) ? World.People.CheapDomain(Random) : null;
        if (Random.Chance(0.55))
            _cards = CardPool([Cards.VirtualRange(Random, _claimed), Cards.VirtualRange(Random, _claimed)], Random.Between(1.0, 4), 2);
    }

    /// <summary>What the script claims to be: a desktop Chrome, driven without a window or only imitated by a library.</summary>
    private Machine Disguise(bool headless) => MachineMaker.Make(Random, _claimed, Random.Chance(0.5) ? MachineSystem.Windows : MachineSystem.Linux) with
    {
        Browser = Browser.Chrome,
        FixedFingerprint = Random.Hex(32),
        Zone = Random.Chance(0.6) ? "UTC" : Operators,
        HintsMissing = !headless,
        Ja4Override = headless
            ? Random.Chance(0.5) ? Handshakes.HeadlessChromium : null
            : Random.Below(4) switch { 0 => Handshakes.Python, 1 => Handshakes.Go, 2 => Handshakes.Node, _ => null },
        Quic = false,
    };

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
            person = World.People.At(Random, person, _domain, MailStyle.Random) with { DomainAgeDays = 5 };
        else if (_disposable && Random.Chance(0.7))
            person = World.People.At(Random, person, Random.Pick(DisposableDomains), MailStyle.Random);
        else if (Random.Chance(0.6))
            person = World.People.At(Random, person, Random.Pick(["gmail.com", "outlook.com", "hotmail.com"]), MailStyle.Random);
        var machine = Random.Pick(_disguises);
        var hand = Worker(_formSeconds, 0.25);
        hand = hand with { TypingMs = Math.Round(Random.Between(4.0, 40), 1), SessionSeconds = (uint)(hand.FormSeconds + Random.Between(1.0, 20)) };
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

    private static readonly string[] DisposableDomains =
    [
        "mailinator.com", "yopmail.com", "guerrillamail.com", "maildrop.cc", "sharklasers.com", "trashmail.com", "dispostable.com", "getnada.com",
    ];
}
