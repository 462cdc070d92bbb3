using BenchmarkDotNet.Attributes;
using SignupGuard.Cel;

namespace SignupGuard.Benchmarks.Cel;

/// <summary>Compiling one rule, which is what saving a policy and loading it on a replica costs for each.</summary>
[MemoryDiagnoser]
public class RuleCompilation
{
    private readonly CelEnvironment<string> _environment = CelEnvironment<string>.Create()
        .Field("email.free", CelType.Bool, _ => CelValue.True, "")
        .Field("email.digit_ratio", CelType.Double, _ => CelValue.From(0.5), "")
        .Field("link.ip.last_1h", CelType.Double, _ => CelValue.From(9d), "")
        .Build();

    [Benchmark]
    public object? Compile() => _environment.Compile("email.free && email.digit_ratio > 0.5 && link.ip.last_1h > 8.0", CelType.Bool).Program;
}
