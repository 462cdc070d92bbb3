using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
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

    protected Campaign(CampaignSetting setting)
    {
        Setting = setting;
        Operators = Random.Pick(OperatorZones);
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
        var situation = MakeAccount(atMs);
        Made++;
        return new SimulatedSignup(Composer.Compose(Random, signupId, atMs, situation), Fraud: true, Setting.Family, Setting.Id) { Attempt = _attempt };
    }

    /// <summary>The attacker learns that an account was denied. By default the address is dropped; more only the families that say so do.</summary>
    public virtual void OnDenied(Attempt attempt, long atMs)
    {
        foreach (var (kind, slot) in attempt.Used)
            if (kind == "exit") slot.Burn();
    }

    /// <summary>When accounts are made: as many instants as the setting says, in order.</summary>
    protected abstract long[] Plan();

    protected abstract Situation MakeAccount(long atMs);

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

    /// <summary>A supply of residential proxy exits in the given countries.</summary>
    protected Rotation<Connection> Proxies(IReadOnlyList<Country> countries, double perAddress, int width)
    {
        var customers = Setting.Draw(Parameters.ProxyOnCustomerLines);
        var known = Setting.Draw(Parameters.ProxyKnown);
        return new Rotation<Connection>(Random, perAddress, width, () => World.ProxyExit(Random, Random.Pick(countries), customers, known));
    }

    /// <summary>
    /// A supply of browser profiles from a tool that changes what a machine claims: a profile keeps its fingerprint over many accounts, and the
    /// handshake is often that of an older engine than claimed.
    /// </summary>
    protected Rotation<Machine> Profiles(Country country, double perProfile, int width, MachineSystem? system = null)
    {
        var shows = Random.Chance(Setting.Draw(Parameters.ToolHandshake));
        return new Rotation<Machine>(Random, perProfile, width, () =>
        {
            var machine = MachineMaker.Make(Random, country, system ?? (Random.Chance(0.8) ? MachineSystem.Windows : MachineSystem.MacOs));
            // Tools are built on Chromium and claim it.
            return machine with
            {
                Browser = machine.Browser is Browser.Edge ? Browser.Edge : Browser.Chrome,
                FixedFingerprint = Random.Hex(32),
                Ja4Override = shows ? Handshakes.OldChromium : null,
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
            Machine = machine with { DeviceId = Random.Hex(32), Languages = matched || Random.Chance(0.5) ? claimed.Languages.Pick(Random) : machine.Languages },
            Connection = exit,
            Hand = hand,
            Zone = matched ? claimed.Zones.Pick(Random) : Operators,
            DeclaredCountry = claimed.Code,
            EmailVerified = 0.5,
            PhoneVerified = 0.7,
        };
    }

    /// <summary>Somebody with a list to work through, or a script that waits like one.</summary>
    protected Hand Worker(double formSeconds, double sigma) => new(
        Math.Round(Math.Clamp(Random.LogNormal(formSeconds, sigma), 1.2, 3600), 1),
        Math.Round(Math.Clamp(Random.LogNormal(95, 0.3), 10, 1500), 1),
        Random.Chance(0.55),
        (uint)Math.Clamp(Random.LogNormal(75, 0.6), 4, 86_000),
        Honeypot: false);

    /// <summary>Somebody else's card, used without their knowledge, or one made for the purpose.</summary>
    protected Rotation<Card> CardPool(IReadOnlyList<CardRange> ranges, double perCard, int width) => new(Random, perCard, width, () =>
    {
        var range = Random.Pick(ranges);
        var country = Countries.Of(range.Country);
        var holder = $"{Names.Given(Random, country.Culture).Written} {Names.Family(Random, country.Culture).Written}";
        return Cards.Card(Random, range, holder, Cards.Home(Random, country), World.Year);
    });

    protected static readonly CheckOdds StolenOdds = new(0.42, 0.1, 0.86, 0.02, 0.12);

    protected static readonly CheckOdds VirtualOdds = new(0.25, 0.04, 0.95, 0.05, 0.06);

    private static readonly string[] OperatorZones =
    [
        "Asia/Shanghai", "Asia/Ho_Chi_Minh", "Europe/Moscow", "Asia/Karachi", "Asia/Dhaka", "Africa/Lagos", "Asia/Jakarta", "Europe/Bucharest", "America/Sao_Paulo", "Asia/Kolkata",
    ];
}
