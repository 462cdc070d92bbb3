using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Populations;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>What a campaign is given: its world, options, name, number of accounts and own randomness.</summary>
internal sealed record CampaignSetting(Surroundings World, SimulationOptions Options, string Family, string Id, int Accounts, RandomSource Random)
{
    public double Draw(Parameter parameter) => parameter.Draw(Options, Random);

    /// <summary>A drawn whole number of things, at least one.</summary>
    public int DrawCount(Parameter parameter) => Math.Max(1, (int)Math.Round(Draw(parameter)));
}

/// <summary>One account a campaign made and what it was made with, by kind of resource.</summary>
internal sealed class Attempt(Campaign campaign)
{
    public Campaign Campaign { get; } = campaign;

    public List<(string Kind, Slot Slot)> Used { get; } = [];

    public bool Denied { get; set; }
}

/// <summary>
/// One attacker's campaign: a plan of when, and a supply of addresses, profiles, cards and mailboxes that are used for several accounts each.
/// </summary>
internal abstract class Campaign : Source
{
    private const long MinuteMs = 60_000;

    private readonly PriorityQueue<long, long> _soon = new();
    private long[]? _times;
    private int _next;
    private int _end;
    private Attempt? _attempt;
    private readonly double _typingMs;
    private readonly double _pastedShare;
    private readonly double _sessionSeconds;
    private readonly double _providerShare;
    private readonly double _phoneShare;
    private readonly string? _referral;

    protected Campaign(CampaignSetting setting)
    {
        Setting = setting;
        Operators = Random.Pick(OperatorZones);
        // Some paste from a list, some type, some scripts wait like a person.
        _typingMs = Random.Chance(0.4) ? Random.Between(55.0, 120) : Random.Between(120.0, 230);
        _pastedShare = Random.Between(0.15, 0.75);
        _sessionSeconds = Random.Between(25.0, 200);
        _providerShare = Random.Chance(0.4) ? 0 : Random.Between(0.05, 0.5);
        _phoneShare = Random.Chance(0.4) ? Random.Between(0.2, 0.6) : Random.Between(0.0, 0.15);
        _referral = Random.Chance(0.25) ? "R" + PeopleMaker.Digits(Random, "######") : null;
    }

    public CampaignSetting Setting { get; }

    protected Surroundings World => Setting.World;

    protected RandomSource Random => Setting.Random;

    /// <summary>The zone the people behind it live in, and their machines when they forget to change it.</summary>
    protected string Operators { get; }

    /// <summary>Accounts made so far.</summary>
    protected int Made { get; private set; }

    public override long NextAtMs
    {
        get
        {
            if (_times is null)
            {
                _times = Plan();
                _end = _times.Length;
            }
            var planned = _next < _end ? _times[_next] : long.MaxValue;
            return _soon.TryPeek(out var soon, out _) && soon < planned ? soon : planned;
        }
    }

    public override SimulatedSignup Emit(string signupId)
    {
        var atMs = NextAtMs;
        if (_soon.TryPeek(out var soon, out _) && soon == atMs) _soon.Dequeue();
        else _next++;
        _attempt = new Attempt(this);
        var situation = Dress(MakeAccount(atMs));
        Made++;
        var signup = Composer.Compose(Random, signupId, atMs, situation);
        return new SimulatedSignup(signup, Fraud: true, Setting.Family, Setting.Id) { Attempt = _attempt };
    }

    /// <summary>The attacker learns that an account was denied. By default the address is dropped, and every other time the card; some families do more.</summary>
    public virtual void OnDenied(Attempt attempt, long atMs)
    {
        foreach (var (kind, slot) in attempt.Used)
            if (kind == "exit" || (kind == "card" && Random.Chance(0.5))) slot.Burn();
    }

    /// <summary>When accounts are made: as many instants as the setting says, in order.</summary>
    protected abstract long[] Plan();

    protected abstract Situation MakeAccount(long atMs);

    /// <summary>So many, each made on its own.</summary>
    protected static T[] Several<T>(int count, Func<T> make)
    {
        var items = new T[count];
        for (var i = 0; i < count; i++) items[i] = make();
        return items;
    }

    protected T Use<T>(string kind, Rotation<T> rotation)
    {
        var (value, slot) = rotation.Take();
        _attempt!.Used.Add((kind, slot));
        return value;
    }

    /// <summary>Takes the last planned account and makes it soon instead.</summary>
    protected void BringForward(long atMs, double minutes)
    {
        if (_next >= _end) return;
        _end--;
        var at = Math.Min(World.EndMs - 1, atMs + 1 + (long)(minutes * MinuteMs));
        _soon.Enqueue(at, at);
    }

    /// <summary>What accounts of attackers and of customers have alike, a little less often: a sign-in provider, a campaign link, a stated use.</summary>
    private Situation Dress(Situation situation) => situation with
    {
        // Numbers are rented by the message.
        Person = situation.Person.Phone is null && Random.Chance(_phoneShare) ? situation.Person with { Phone = World.People.Mobile(Random, situation.Person.Country) } : situation.Person,
        Provider = situation.Provider ?? (situation.Person.Email.EndsWith("@gmail.com", StringComparison.Ordinal) && Random.Chance(_providerShare) ? "google" : null),
        MarketingCampaign = Random.Chance(0.1) ? Random.Pick(Population.MarketingCampaigns) : null,
        ReferralCode = situation.ReferralCode
            ?? (_referral is not null && Random.Chance(0.6) ? _referral : Random.Chance(0.02) ? "R" + PeopleMaker.Digits(Random, "######") : null),
        DeclaredUse = situation.DeclaredUse ?? (Random.Chance(0.12) ? Random.Pick(Population.Uses) : null),
    };

    /// <summary>A supply of residential proxy exits in the given countries.</summary>
    protected Rotation<Connection> Proxies(IReadOnlyList<Country> countries, double perAddress, int width)
    {
        var customers = Setting.Draw(Parameters.ProxyOnCustomerLines);
        var known = Setting.Draw(Parameters.ProxyKnown);
        return new Rotation<Connection>(Random, perAddress, width, () => World.ProxyExit(Random, Random.Pick(countries), customers, known));
    }

    /// <summary>
    /// A supply of browser profiles from a tool that changes what a machine claims: a profile keeps its fingerprint over many accounts, and the
    /// handshake is often that of an older engine than claimed. Better tools copy the fingerprint of an ordinary machine.
    /// </summary>
    protected Rotation<Machine> Profiles(Country country, double perProfile, int width, MachineSystem? system = null)
    {
        var shows = Random.Chance(Setting.Draw(Parameters.ToolHandshake));
        var forgetsHints = shows && Random.Chance(0.25);
        var cloned = Random.Chance(Setting.Draw(Parameters.ToolCloned));
        var engine = BrowserVersions.Major(Browser.Chrome, World.StartMs) - Random.Between(2, 14);
        // Most tools are built on Chromium and claim a desktop, some on Firefox; some claim phones.
        var firefox = !shows && Random.Chance(0.15);
        var phones = system is null && Random.Chance(0.3) ? Random.Between(0.2, 0.9) : 0;
        return new Rotation<Machine>(Random, perProfile, width, () =>
        {
            var claimed = system
                ?? (Random.Chance(phones) ? Random.Chance(0.5) ? MachineSystem.Android : MachineSystem.Ios : Random.Chance(0.75) ? MachineSystem.Windows : MachineSystem.MacOs);
            var machine = MachineMaker.Make(Random, country, claimed);
            if (!machine.Mobile)
                machine = machine with { Browser = firefox ? Browser.Firefox : machine.Browser is Browser.Edge or Browser.Safari && Random.Chance(0.5) ? machine.Browser : Browser.Chrome };
            return machine with
            {
                FixedFingerprint = cloned ? null : Random.Hex(32),
                Ja4Override = shows ? Handshakes.OldChromium : null,
                EngineMajor = forgetsHints ? engine : null,
                Quic = false,
            };
        });
    }

    /// <summary>A profile as it shows for one account: the device id is fresh, the zone mostly that of the exit.</summary>
    protected Situation Profile(Machine machine, Person person, Connection exit, Country claimed, double zoneMatched, Hand hand)
    {
        var matched = Random.Chance(zoneMatched);
        return new Situation
        {
            Person = person,
            // A copied fingerprint goes with the languages it was taken with.
            Machine = machine with
            {
                DeviceId = Random.Hex(32),
                Languages = machine.FixedFingerprint is not null && (matched || Random.Chance(0.5)) ? claimed.Languages.Pick(Random) : machine.Languages,
            },
            Connection = exit,
            Hand = hand,
            Zone = matched ? claimed.Zones.Pick(Random) : Operators,
            DeclaredCountry = claimed.Code,
            EmailVerified = 0.5,
            PhoneVerified = 0.7,
        };
    }

    /// <summary>Somebody with a list to work through, or a script that waits like one.</summary>
    protected Hand Worker(double formSeconds, double sigma)
    {
        var form = Math.Round(Math.Clamp(Random.LogNormal(formSeconds, sigma), 0.6, 3600), 1);
        return new Hand(
            form,
            Math.Round(Math.Clamp(Random.LogNormal(_typingMs, 0.3), 10, 550), 1),
            Random.Chance(_pastedShare),
            (uint)(form + Math.Clamp(Random.LogNormal(_sessionSeconds, 0.8), 1, 86_000)),
            Honeypot: false);
    }

    /// <summary>Somebody else's card, used without their knowledge, or one made for the purpose.</summary>
    protected Rotation<Card> CardPool(IReadOnlyList<CardRange> ranges, double perCard, int width, double inWallets = 0.06) => new(Random, perCard, width, () =>
    {
        var range = Random.Pick(ranges);
        var country = Countries.Of(range.Country);
        var holder = $"{Names.Given(Random, country.Culture).Written} {Names.Family(Random, country.Culture).Written}";
        var card = Cards.Card(Random, range, holder, Cards.Home(Random, country), World.Year);
        return Random.Chance(inWallets) ? card with { Wallet = Random.Chance(0.6) ? "apple_pay" : "google_pay" } : card;
    });

    protected static readonly CheckOdds StolenOdds = new(0.42, 0.1, 0.86, 0.02, 0.12);

    /// <summary>The attacker holds the card and the account behind it, so checks pass as they do for anybody.</summary>
    protected static readonly CheckOdds VirtualOdds = new(0.42, 0.03, 0.95, 0.22, 0.05);

    private static readonly string[] OperatorZones =
    [
        "Asia/Shanghai", "Asia/Ho_Chi_Minh", "Europe/Moscow", "Asia/Karachi", "Asia/Dhaka", "Africa/Lagos", "Asia/Jakarta", "Europe/Bucharest",
        "America/Sao_Paulo", "Asia/Kolkata",
    ];
}
