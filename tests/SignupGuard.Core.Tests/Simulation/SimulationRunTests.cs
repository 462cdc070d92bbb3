using Google.Protobuf;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.Simulation.Populations;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>What any run must hold, whoever is in it.</summary>
public sealed class SimulationRunTests
{
    private static readonly SimulationOptions Options = new() { Seed = 7, Benign = 6_000, Days = 5 };

    private static readonly Lazy<IReadOnlyList<SimulatedSignup>> Run = new(() => [.. SimulationRun.Of(Options)]);

    [Test]
    public void Same_options_give_the_same_bytes()
    {
        var again = SimulationRun.Of(Options).ToList();
        Assert.That(again, Has.Count.EqualTo(Run.Value.Count));
        for (var i = 0; i < again.Count; i++)
        {
            Assert.That(again[i].Signup.ToByteArray(), Is.EqualTo(Run.Value[i].Signup.ToByteArray()), $"signup {i}");
            Assert.That(again[i] with { Signup = Run.Value[i].Signup, Attempt = null }, Is.EqualTo(Run.Value[i] with { Attempt = null }));
        }
    }

    [Test]
    public void Another_seed_gives_other_signups()
    {
        var other = SimulationRun.Of(Options with { Seed = 8 }).Take(200).Select(s => s.Signup.Email.Address).ToHashSet();
        Assert.That(Run.Value.Take(200).Count(s => other.Contains(s.Signup.Email.Address)), Is.LessThan(5));
    }

    [Test]
    public void Signups_come_in_order_of_time_within_the_run()
    {
        var times = Run.Value.Select(s => s.Signup.OccurredAt.ToDateTimeOffset()).ToList();
        Assert.That(times, Is.Ordered);
        Assert.That(times[0], Is.GreaterThanOrEqualTo(Options.Start));
        Assert.That(times[^1], Is.LessThan(Options.Start.AddDays(Options.Days)));
    }

    [Test]
    public void Counts_are_exactly_those_asked_for()
    {
        Assert.That(Run.Value.Count(s => !s.Fraud), Is.EqualTo(Options.Benign));
        foreach (var (family, count) in Families.DefaultMix(Options.Benign))
            Assert.That(Run.Value.Count(s => s.Group == family), Is.EqualTo(count), family);
        Assert.That(Run.Value.Count(s => s.Fraud) / (double)Run.Value.Count, Is.EqualTo(SimulationOptions.AttackShareDefault).Within(0.001));
        foreach (var (population, share) in BenignPopulations.Shares)
            Assert.That(Run.Value.Count(s => s.Group == population) / (double)Options.Benign, Is.EqualTo(share).Within(0.002), population);
    }

    [Test]
    public void Every_signup_has_an_id_of_its_own_and_a_complete_label()
    {
        Assert.That(Run.Value.Select(s => s.Signup.SignupId), Is.Unique);
        var attackers = Run.Value.Where(s => s.Fraud);
        Assert.That(attackers.Where(s => !Families.All.Contains(s.Group) || s.Campaign?.StartsWith(s.Group + "-", StringComparison.Ordinal) != true), Is.Empty);
        Assert.That(Run.Value.Where(s => !s.Fraud).Where(s => s.Campaign is not null || BenignPopulations.Shares.All(p => p.Name != s.Group)), Is.Empty);
    }
}
