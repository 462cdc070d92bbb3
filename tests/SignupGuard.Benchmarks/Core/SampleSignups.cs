using Microsoft.Extensions.Configuration;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;
using SignupGuard.Simulation;

namespace SignupGuard.Benchmarks.Core;

/// <summary>Simulated signups with their signals and keys, by the policy shipped: the same in every benchmark and run.</summary>
internal static class SampleSignups
{
    /// <summary>So many are screened before measuring: keys hold what they do in operation.</summary>
    public const int Before = 20_000;

    /// <summary>So many are measured with.</summary>
    public const int Measured = 4_096;

    public static Policy Policy { get; } = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy ?? throw new InvalidOperationException("The policy shipped does not validate.");

    public static KeyHasher Hasher { get; } = new(new byte[KeyHasher.KeyBytes]);

    public static IReadOnlyList<V1.Signup> Messages { get; } =
        [.. SimulationRun.Of(new SimulationOptions { Benign = Before + Measured, Days = 1 }).Take(Before + Measured).Select(simulated => simulated.Signup)];

    public static IReadOnlyList<LinkableSignup> Linkable { get; } = Prepare();

    private static List<LinkableSignup> Prepare()
    {
        using var preparation = new OfflinePreparation(new ConfigurationBuilder().Build(), Policy.Linkage.Rules);
        return [.. Messages.Select(message => preparation.Prepare(message, out _) ?? throw new InvalidOperationException("A simulated signup breaks the contract."))];
    }
}
