using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.Simulation.Populations;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>Options and the split between what is tuned on and what is measured on.</summary>
public sealed class ParameterTests
{
    [Test]
    public void Held_out_ranges_reach_beyond_the_tuned_ones_on_both_sides()
    {
        foreach (var parameter in Parameter.All)
        {
            Assert.That(parameter.HeldOut, Is.Not.EqualTo(parameter.Default), parameter.Name);
            Assert.That(parameter.HeldOut.Low, Is.LessThanOrEqualTo(parameter.Default.Low), parameter.Name);
            Assert.That(parameter.HeldOut.High, Is.GreaterThan(parameter.Default.High), parameter.Name);
        }
    }

    [Test]
    public void Every_family_has_parameters_and_every_name_is_known_once()
    {
        Assert.That(Parameter.All.Select(p => p.Name), Is.Unique);
        foreach (var family in Families.All) Assert.That(Parameter.All.Any(p => p.Name == family + ".accounts"), Is.True, family);
        Assert.That(Families.Shares.Sum(s => s.Share), Is.EqualTo(1).Within(1e-9));
        Assert.That(BenignPopulations.Shares.Sum(s => s.Share), Is.EqualTo(1).Within(1e-9));
    }

    [Test]
    public void A_parameter_set_by_hand_holds()
    {
        var options = new SimulationOptions
        {
            Seed = 3,
            Benign = 0,
            Days = 5,
            Families = new Dictionary<string, int> { [Families.Hydra] = 1_000 },
            ParameterOverrides = new Dictionary<string, ParameterRange> { ["hydra.accounts_per_card"] = new(1, 1), ["hydra.bins"] = new(6, 6) },
        };
        var paid = SimulationRun.Of(options).Where(s => s.Signup.Payment is not null).ToList();
        Assert.That(paid.GroupBy(s => s.Signup.Payment.InstrumentFingerprint).Average(card => card.Count()), Is.LessThan(1.25));
        Assert.That(paid.GroupBy(s => s.Campaign).Select(campaign => campaign.Select(s => s.Signup.Payment.Bin).Distinct().Count()), Is.All.EqualTo(6));
    }

    [Test]
    public void Wrong_options_are_told_all_at_once()
    {
        var options = new SimulationOptions
        {
            Benign = -1,
            Days = double.NaN,
            Families = new Dictionary<string, int> { ["hydro"] = 5, [Families.Hydra] = -2 },
            ParameterOverrides = new Dictionary<string, ParameterRange> { ["hydra.heads"] = new(1, 2), ["hydra.bins"] = new(3, 2) },
        };
        Assert.That(options.Validate(), Has.Count.EqualTo(6));
        Assert.That(() => new SimulationRun(options), Throws.ArgumentException);
        Assert.That(new SimulationOptions().Validate(), Is.Empty);
    }

    [Test]
    public void An_empty_run_and_a_run_of_one_end()
    {
        Assert.That(SimulationRun.Of(new SimulationOptions { Benign = 0 }), Is.Empty);
        Assert.That(SimulationRun.Of(new SimulationOptions { Benign = 1, Days = 0.01 }).Count(), Is.EqualTo(1));
        foreach (var family in Families.All)
        {
            var one = new SimulationOptions { Benign = 0, Days = 0.2, Families = new Dictionary<string, int> { [family] = 1 } };
            Assert.That(SimulationRun.Of(one).Count(), Is.EqualTo(1), family);
        }
    }

    [Test]
    public void The_documented_shares_and_parameters_are_these()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SignupGuard.sln"))) folder = folder.Parent;
        var page = File.ReadAllText(Path.Combine(folder!.FullName, "docs", "simulator.md"));
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        foreach (var p in Parameter.All)
        {
            var row = string.Create(invariant, $"| `{p.Name}` | {p.Default.Low}–{p.Default.High} | {p.HeldOut.Low}–{p.HeldOut.High} | {p.Meaning} |");
            Assert.That(page, Does.Contain(row), "run 'signupguard simulate --list-parameters' and correct docs/simulator.md");
        }
        foreach (var (name, share) in Families.Shares.Concat(BenignPopulations.Shares))
            Assert.That(page, Does.Contain(string.Create(invariant, $"| `{name}` | {Math.Round(share * 100, 1)} |")));
    }
}
