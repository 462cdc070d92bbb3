using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Populations;

/// <summary>
/// Ordinary customers of one kind. Units (a household, a rollout) arrive by the day curve and bring one or more people, now or later; only units
/// whose people are still to come are held in memory.
/// </summary>
internal abstract class Population : Source
{
    protected const long MinuteMs = 60_000;
    protected const long HourMs = 60 * MinuteMs;
    protected const long DayMs = 24 * HourMs;

    private readonly string _name;
    private readonly Activity _activity;
    private readonly Arrivals _arrivals;
    private readonly PriorityQueue<Situation, (long AtMs, long Order)> _pending = new();
    private long _nextArrivalMs;
    private long _order;

    protected Population(Surroundings world, string name, int count, bool work)
    {
        World = world;
        _name = name;
        Random = RandomSource.For(world.Seed, name);
        _activity = work ? world.Work : world.Leisure;
        _arrivals = new Arrivals(_activity, RandomSource.For(world.Seed, name + " arrivals"), count);
        Advance();
    }

    protected Surroundings World { get; }

    protected RandomSource Random { get; }

    public override long NextAtMs => _pending.TryPeek(out _, out var next) && next.AtMs <= _nextArrivalMs ? next.AtMs : _nextArrivalMs;

    public override SimulatedSignup Emit(string signupId)
    {
        if (!_pending.TryPeek(out _, out var first) || first.AtMs > _nextArrivalMs)
        {
            var atMs = _nextArrivalMs;
            var country = _activity.Country(Random, atMs);
            var people = 0;
            foreach (var (offsetMs, situation) in Arrive(country, atMs, _arrivals.Remaining + 1))
            {
                _pending.Enqueue(situation, (Within(atMs, offsetMs), _order++));
                people++;
            }
            _arrivals.Skip(people - 1);
            Advance();
        }
        _pending.TryDequeue(out var next, out var when);
        return new SimulatedSignup(Composer.Compose(Random, signupId, when.AtMs, next!), Fraud: false, _name, Campaign: null);
    }

    /// <summary>The people one unit brings, 1 to <paramref name="peopleMax"/>, with milliseconds after its arrival. The first comes at once.</summary>
    protected abstract IEnumerable<(long OffsetMs, Situation Situation)> Arrive(Country country, long atMs, int peopleMax);

    /// <summary>An honest person's signup with everything by default.</summary>
    protected Situation Ordinary(Person person, Machine machine, Connection connection, double cardChance)
    {
        var app = machine.Browser == Browser.App;
        return new Situation
        {
            Person = person,
            Machine = machine,
            Connection = connection,
            Hand = Hand.Human(Random, machine.Mobile),
            Channel = app ? machine.System == MachineSystem.Ios ? Channel.Ios : Channel.Android : !machine.Mobile && Random.Chance(0.04) ? Channel.Desktop : Channel.Web,
            Card = Random.Chance(cardChance) ? OwnCard(person) : null,
            Provider = Random.Chance(0.28) ? person.Email.EndsWith("gmail.com", StringComparison.Ordinal) ? "google" : Random.Chance(0.5) ? "apple" : "github" : null,
            // Travellers and clocks set by hand.
            Zone = Random.Chance(0.025) ? Random.Pick(Countries.All).MainZone : null,
            ReferralCode = Random.Chance(0.07) ? "R" + PeopleMaker.Digits(Random, "######") : null,
            MarketingCampaign = Random.Chance(0.2) ? Random.Pick(MarketingCampaigns) : null,
            DeclaredUse = Random.Chance(0.15) ? Random.Pick(Uses) : null,
            AccountType = Random.Below(100) switch
            {
                < 4 => AccountType.Team,
                < 8 => AccountType.Education,
                < 9 => AccountType.StartupProgramme,
                _ => AccountType.Personal,
            },
        };
    }

    protected Card OwnCard(Person person)
    {
        // Immigrants, travellers and cards from abroad.
        var country = Random.Chance(0.035) ? Random.Pick(Countries.All) : person.Country;
        var card = Cards.Card(Random, Cards.Range(Random, country), person.FullName, Cards.Home(Random, person.Country), World.Year);
        return Random.Chance(0.13) ? card with { Wallet = Random.Chance(0.55) ? "apple_pay" : "google_pay" } : card;
    }

    private long Within(long atMs, long offsetMs)
    {
        var then = atMs + offsetMs;
        return then < World.EndMs ? then : atMs + (long)(Random.Unit() * (World.EndMs - atMs));
    }

    private void Advance() => _nextArrivalMs = _arrivals.Remaining > 0 ? _arrivals.Next() : long.MaxValue;

    internal static readonly string[] MarketingCampaigns = ["spring_search", "brand_search", "newsletter", "video_a", "video_b", "partner_blog", "retargeting"];

    internal static readonly string[] Uses =
    [
        "writing and translation", "help with homework", "coding", "learning a language", "planning trips", "customer e-mails", "recipes",
        "research for my thesis", "spreadsheets",
        "just trying it out", "marketing texts", "preparing lessons", "summaries of long documents", "job applications",
    ];
}
