using BenchmarkDotNet.Attributes;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Benchmarks.Core;

/// <summary>A key's state to bytes and back: once each for every key of a batch.</summary>
[MemoryDiagnoser]
public class KeyStateCodec
{
    private static readonly LinkageRule Rule = SampleSignups.Policy.Linkage.Rules.First(rule => rule.Class == LinkClass.Soft);

    private KeyState _state;
    private byte[] _bytes = [];

    /// <summary>Accounts on the key: most have one; 40 is more than a key remembers.</summary>
    [Params(1, 4, 40)]
    public int Accounts { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _state = default;
        for (var i = 1; i <= Accounts; i++) _state.Add(new KeyEvent(new KeyMember(i, 1_790_000_000_000 + (i * 60_000), i * 7_919, 0, true, false), false), Rule, 2, null);
        _bytes = StateCodec.Encode(_state);
    }

    [Benchmark]
    public byte[] Encode() => StateCodec.Encode(_state);

    [Benchmark]
    public int Decode() => StateCodec.DecodeKey(_bytes, 0).Accounts;
}
