using BenchmarkDotNet.Attributes;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Benchmarks.Core;

/// <summary>Step 4: a signup's link keys, about ten keyed hashes and the composites of them.</summary>
[MemoryDiagnoser]
public class KeyDerivation
{
    private readonly LinkKeyDerivation _derivation = new(SampleSignups.Hasher, SampleSignups.Policy.Linkage.Rules);
    private readonly KeyHasher _hasher = SampleSignups.Hasher;
    private int _next;

    [Benchmark]
    public DerivedKeys Derive()
    {
        var sample = SampleSignups.Linkable[_next++ % SampleSignups.Measured];
        return _derivation.Derive("default", sample.Signup, sample.Signals);
    }

    [Benchmark]
    public LinkKey HashOne() => _hasher.Hash("default", KeyKind.Of(LinkAttribute.Email), "somebody.of.usual.length@mail.example");
}
