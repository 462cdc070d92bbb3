using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// Watches what is denied and changes it: with feedback, whichever kind of resource the denied accounts have most in common; without, one kind after the
/// other on a schedule.
/// </summary>
internal sealed class Adaptive : Campaign
{
    private static readonly string[] Kinds = ["exit", "profile", "card", "mailbox"];

    /// <summary>Denials of one resource that make the attacker drop the habit.</summary>
    private const int DenialsTolerated = 2;

    private readonly Dictionary<string, int> _denials = new(StringComparer.Ordinal);
    private readonly int _rotateEvery;
    private readonly double _perCard;
    private readonly double _perProfile;
    private readonly double _zoneMatched;
    private int _sinceRotation;
    private int _turn;
    private Country _country;
    private Rotation<Connection> _exits;
    private Rotation<Machine> _profiles;
    private Rotation<Card> _cards;
    private Rotation<string> _domains;
    private int _mailHabit;

    public Adaptive(CampaignSetting setting)
        : base(setting)
    {
        _rotateEvery = setting.DrawCount(Parameters.AdaptiveRotate);
        _perCard = setting.Draw(Parameters.AdaptivePerCard);
        _perProfile = setting.Draw(Parameters.AdaptivePerFingerprint);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
        _country = Random.Pick([Countries.Of("US"), Countries.Of("GB"), Countries.Of("CA"), Countries.Of("DE"), Countries.Of("BR")]);
        _exits = NewExits();
        _profiles = Profiles(_country, _perProfile, 3);
        _cards = NewCards();
        _domains = NewDomains();
    }

    protected override long[] Plan() => Pacing.Shifts(Random, Pacing.Window(Random, World, Random.Between(3.0, 10)), Setting.Accounts, Operators);

    protected override Situation MakeAccount(long atMs)
    {
        if (++_sinceRotation > _rotateEvery) Change(Kinds[_turn++ % Kinds.Length]);
        var exit = Use("exit", _exits);
        var person = World.People.Person(Random, _country, phoneChance: 0.12);
        var domain = Use("mailbox", _domains);
        if (_mailHabit == 1)
        {
            person = person with
            {
                Email = World.People.Mailbox(Random, domain, person.Given, person.Family, person.BirthYear, MailStyle.Corporate),
                DomainAgeDays = Random.Between(10, 200),
            };
        }
        else if (_mailHabit == 2)
        {
            person = person with { Email = World.People.Mailbox(Random, "outlook.com", person.Given, person.Family, person.BirthYear, MailStyle.Corporate) };
        }
        return Profile(Use("profile", _profiles), person, exit, _country, _zoneMatched, Worker(30, 0.55)) with
        {
            Card = Random.Chance(0.9) ? Use("card", _cards) with { Holder = person.FullName } : null,
            Checks = StolenOdds,
        };
    }

    public override void OnDenied(Attempt attempt, long atMs)
    {
        foreach (var (kind, slot) in attempt.Used)
        {
            slot.Burn();
            _denials[kind] = _denials.GetValueOrDefault(kind) + 1;
        }
        // Every account uses every kind, so all are suspects; the attacker tries one after the other.
        if (_denials.Values.Max() > DenialsTolerated) Change(Kinds[_turn++ % Kinds.Length]);
    }

    private void Change(string kind)
    {
        _denials.Clear();
        _sinceRotation = 0;
        switch (kind)
        {
            case "exit":
                _exits = NewExits();
                break;
            case "profile":
                _profiles = Profiles(_country, _perProfile, 3);
                break;
            case "card":
                if (Random.Chance(0.3)) _country = Random.Pick([Countries.Of("US"), Countries.Of("GB"), Countries.Of("CA"), Countries.Of("DE"), Countries.Of("BR")]);
                _cards = NewCards();
                break;
            default:
                _mailHabit = (_mailHabit + 1) % 3;
                _domains = NewDomains();
                break;
        }
    }

    private Rotation<Connection> NewExits()
    {
        if (Random.Chance(0.7)) return Proxies([_country], Random.Between(1.0, 3), 3);
        if (Random.Chance(0.5))
        {
            var carrier = NetworkPool.Pick(Random, _country.Code, PoolClass.Carrier);
            return new Rotation<Connection>(Random, Random.Between(2.0, 6), 3, () => Surroundings.CarrierAddress(Random, carrier));
        }
        var vpn = NetworkPool.Pick(Random, PoolClass.Vpn);
        return new Rotation<Connection>(Random, Random.Between(2.0, 6), 3, () => Surroundings.Vpn(Random, vpn));
    }

    private Rotation<Card> NewCards() =>
        CardPool([.. Enumerable.Range(0, Random.Between(2, 5)).Select(_ => Random.Chance(0.5) ? Cards.VirtualRange(Random, _country) : Cards.Range(Random, _country))], _perCard, 3);

    private Rotation<string> NewDomains() => new(Random, Random.Between(5.0, 20), 2, () => World.People.CheapDomain(Random));
}
