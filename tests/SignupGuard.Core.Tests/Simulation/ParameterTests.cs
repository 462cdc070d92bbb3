using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;

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
        Assert.That(SignupGuard.Simulation.Populations.BenignPopulations.Shares.Sum(s => s.Share), Is.EqualTo(1).Within(1e-9));
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
        var hydra = SimulationRun.Of(options).ToList();
        Assert.That(hydra.Where(s => s.Signup.Payment is not null).GroupBy(s => s.Signup.Payment.InstrumentFingerprint).Average(card => card.Count()), Is.LessThan(1.25));
        Assert.That(hydra.GroupBy(s => s.Campaign).Select(c => c.Where(s => s.Signup.Payment is not null).Select(s => s.Signup.Payment.Bin).Distinct().Count()), Is.All.EqualTo(6));
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
            Assert.That(SimulationRun.Of(new SimulationOptions { Benign = 0, Days = 0.2, Families = new Dictionary<string, int> { [family] = 1 } }).Count(), Is.EqualTo(1), family);
    }
}
