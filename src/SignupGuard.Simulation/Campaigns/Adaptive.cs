using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// Watches what is denied and changes it: with feedback, what the denied accounts have most in common; without, one kind of resource after the other
/// on a schedule.
/// </summary>
internal sealed class Adaptive : Campaign
{
    private static readonly string[] Kinds = ["exit", "profile", "card", "mailbox"];

    /// <summary>Resources of one kind dropped before the attacker changes the habit behind them.</summary>
    private const int DropsTolerated = 2;

    private readonly Dictionary<string, int> _dropped = new(StringComparer.Ordinal);
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
        _country = Random.Pick(Countries.Of("US", "GB", "CA", "DE", "BR"));
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
            person = World.People.At(Random, person, domain, MailStyle.Corporate) with { DomainAgeDays = Random.Between(10, 200) };
        }
        else if (_mailHabit == 2)
        {
            person = World.People.At(Random, person, "outlook.com", MailStyle.Corporate);
        }
        return Profile(Use("profile", _profiles), person, exit, _country, _zoneMatched, Worker(30, 0.55)) with
        {
            Card = Random.Chance(0.9) ? Use("card", _cards) with { Holder = person.FullName } : null,
            Checks = StolenOdds,
        };
    }

    /// <summary>
    /// The denied account's address, profile, card and mailbox are all suspect; most so the one that was in most denials. That one is dropped, and
    /// when a kind was dropped often enough its whole habit changes.
    /// </summary>
    public override void OnDenied(Attempt attempt, long atMs)
    {
        var worst = 0;
        foreach (var (_, slot) in attempt.Used) worst = Math.Max(worst, ++slot.Denials);
        var suspects = attempt.Used.Where(used => used.Slot.Denials == worst).ToList();
        var (kind, suspect) = suspects[_turn++ % suspects.Count];
        suspect.Burn();
        var dropped = _dropped[kind] = _dropped.GetValueOrDefault(kind) + 1;
        if (dropped > DropsTolerated) Change(kind);
    }

    private void Change(string kind)
    {
        _dropped.Remove(kind);
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
                if (Random.Chance(0.3)) _country = Random.Pick(Countries.Of("US", "GB", "CA", "DE", "BR"));
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
        CardPool(Several(Random.Between(2, 5), () => Random.Chance(0.5) ? Cards.VirtualRange(Random, _country) : Cards.Range(Random, _country)), _perCard, 3);

    private Rotation<string> NewDomains() => new(Random, Random.Between(5.0, 20), 2, () => World.People.CheapDomain(Random));
}
