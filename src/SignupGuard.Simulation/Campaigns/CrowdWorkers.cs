using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// The control that no link can catch: people paid per account, each with an own line, machine and mailbox. Only the mix of countries is theirs.
/// </summary>
internal sealed class CrowdWorkers(CampaignSetting setting) : Campaign(setting)
{
    protected override long[] Plan() => Pacing.Steady(Random, Pacing.Window(Random, World, Random.Between(0.5, 1.0) * Setting.Options.Days), Setting.Accounts);

    protected override Situation MakeAccount(long atMs)
    {
        var country = Random.Pick(WorkerCountries);
        var mobile = Random.Chance(0.6);
        var machine = MachineMaker.Make(Random, country, mobile ? MachineSystem.Android : null, app: mobile && Random.Chance(0.4));
        var person = World.People.Person(Random, country);
        return new Situation
        {
            Person = person,
            Machine = machine,
            Connection = mobile ? World.Mobile(Random, country) : World.HomeLine(Random, country),
            Hand = Hand.Human(Random, machine.Mobile),
            Channel = machine.Browser == Browser.App ? Channel.Android : Channel.Web,
            Card = Random.Chance(0.3) ? OwnCard(person) : null,
            Provider = person.Email.EndsWith("@gmail.com", StringComparison.Ordinal) && Random.Chance(0.3) ? "google" : null,
        };
    }

    private static readonly IReadOnlyList<Country> WorkerCountries = Countries.Of("IN", "PH", "ID", "NG", "EG", "VN", "BR");

    private Card OwnCard(Person person)
    {
        var card = Cards.Card(Random, Cards.Range(Random, person.Country), person.FullName, Cards.Home(Random, person.Country), World.Year);
        return Random.Chance(0.13) ? card with { Wallet = "google_pay" } : card;
    }
}
