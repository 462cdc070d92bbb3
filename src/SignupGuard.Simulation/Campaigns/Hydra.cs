using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// Thousands of accounts run as one: every address is used a few times, a browser profile about thirty, a card about five, of two or three card ranges
/// whose country matches the exit, and what is banned is replaced within minutes. Names and mailboxes look like anybody's.
/// </summary>
internal sealed class Hydra : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<Card> _cards;
    private readonly double _zoneMatched;
    private readonly double _replaceMinutes;
    private readonly double _formSeconds;

    public Hydra(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(TargetCountries);
        _exits = Proxies([_country], setting.Draw(Parameters.HydraPerIp), 6);
        _profiles = Profiles(_country, setting.Draw(Parameters.HydraPerFingerprint), 5);
        var ranges = new List<CardRange>();
        for (var bins = setting.DrawCount(Parameters.HydraBins); ranges.Count < bins;)
        {
            var range = Random.Chance(0.6) ? Cards.VirtualRange(Random, _country) : Cards.Range(Random, _country);
            if (!ranges.Contains(range)) ranges.Add(range);
        }
        _cards = CardPool(ranges, setting.Draw(Parameters.HydraPerCard), 5);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
        _replaceMinutes = setting.Draw(Parameters.HydraReplaceMinutes);
        _formSeconds = Random.Between(16.0, 55);
    }

    /// <summary>A steady build-up, then sweeps of bans whose losses are made good within minutes.</summary>
    protected override long[] Plan()
    {
        var window = Pacing.Window(Random, World, Math.Max(2, Random.Between(0.5, 0.95) * Setting.Options.Days));
        var building = (int)(Setting.Accounts * Random.Between(0.4, 0.7));
        var times = Pacing.Shifts(Random, window, building, Operators)
            .Concat(Pacing.Waves(Random, window, Setting.Accounts - building, Random.Between(12, 45), _replaceMinutes))
            .ToArray();
        Array.Sort(times);
        return times;
    }

    protected override Situation MakeAccount(long atMs)
    {
        var person = World.People.Person(Random, _country, phoneChance: 0.16);
        return Profile(Use("profile", _profiles), person, Use("exit", _exits), _country, _zoneMatched, Worker(_formSeconds, 0.5)) with
        {
            Card = Random.Chance(0.93) ? Use("card", _cards) with { Holder = person.FullName } : null,
            Checks = VirtualOdds,
        };
    }

    /// <summary>A denied account is replaced within minutes, on another address and card.</summary>
    public override void OnDenied(Attempt attempt, long atMs)
    {
        foreach (var (kind, slot) in attempt.Used)
            if (kind is "exit" or "card") slot.Burn();
        BringForward(atMs, Random.Exponential(_replaceMinutes));
    }

    private static readonly IReadOnlyList<Country> TargetCountries = Countries.Of("US", "US", "US", "GB", "JP", "CA", "DE");
}
