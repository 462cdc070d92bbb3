using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Many addresses of a few mailboxes: dots, tags, and relays that nobody can see through.</summary>
internal sealed class MailAliases : Campaign
{
    private readonly Country _country;
    private readonly Rotation<Connection> _exits;
    private readonly Rotation<Machine> _profiles;
    private readonly Rotation<string> _mailboxes;
    private readonly double _relays;
    private readonly double _zoneMatched;

    public MailAliases(CampaignSetting setting)
        : base(setting)
    {
        _country = Random.Pick(Countries.All);
        var network = NetworkPool.Pick(Random, PoolClass.Vpn);
        _exits = Random.Chance(0.5)
            ? Proxies([_country], Random.Between(1.0, 3), 2)
            : new Rotation<Connection>(Random, Random.Between(3.0, 8), 3, () => Surroundings.Vpn(Random, network));
        _profiles = Profiles(_country, setting.Draw(Parameters.AliasPerFingerprint), 2);
        _mailboxes = new Rotation<string>(Random, setting.Draw(Parameters.AliasPerMailbox), 2, () =>
        {
            var given = Names.Given(Random, _country.Culture);
            var family = Names.Family(Random, _country.Culture);
            return World.People.Mailbox(Random, "gmail.com", given, family, 1990, MailStyle.Personal);
        });
        _relays = setting.Draw(Parameters.AliasRelays);
        _zoneMatched = setting.Draw(Parameters.ZoneMatched);
    }

    protected override long[] Plan()
    {
        var window = Pacing.Window(Random, World, Setting.Draw(Parameters.AliasDays));
        return Random.Chance(0.5)
            ? Pacing.Shifts(Random, window, Setting.Accounts, Operators)
            : Pacing.Waves(Random, window, Setting.Accounts, Random.Between(5, 25), Random.Between(15.0, 60));
    }

    protected override Situation MakeAccount(long atMs)
    {
        var exit = Use("exit", _exits);
        var person = World.People.Person(Random, _country, phoneChance: 0.05);
        person = Random.Chance(_relays)
            ? World.People.At(Random, person, Random.Pick(["duck.com", "simplelogin.com", "mozmail.com", "privaterelay.appleid.com"]), MailStyle.Random)
            : person with { Email = Alias(Use("mailbox", _mailboxes)) };
        return Profile(Use("profile", _profiles), person, exit, _country, _zoneMatched, Worker(24, 0.45)) with
        {
            Card = Random.Chance(0.12) ? Cards.Card(Random, Cards.VirtualRange(Random, _country), person.FullName, Cards.Home(Random, _country), World.Year) : null,
            Checks = VirtualOdds,
            EmailVerified = 0.75,
        };
    }

    /// <summary>Dots between the letters, a tag, or both.</summary>
    private string Alias(string mailbox)
    {
        for (var attempt = 0; ; attempt++)
        {
            var at = mailbox.IndexOf('@', StringComparison.Ordinal);
            var local = mailbox[..at].Replace(".", "", StringComparison.Ordinal);
            if (Random.Chance(0.6))
            {
                for (var dots = Random.Between(1, 3); dots > 0; dots--)
                {
                    var place = Random.Between(1, local.Length - 1);
                    if (local[place] != '.' && local[place - 1] != '.') local = local.Insert(place, ".");
                }
            }
            if (attempt > 0 || Random.Chance(0.5)) local += "+" + (Random.Chance(0.5) ? PeopleMaker.Digits(Random, "###") : PeopleMaker.RandomLocal(Random)[..5]);
            var alias = local + mailbox[at..];
            if (World.People.Take(alias) || attempt > 6) return alias;
        }
    }
}
