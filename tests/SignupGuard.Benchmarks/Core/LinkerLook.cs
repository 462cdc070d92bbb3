using BenchmarkDotNet.Attributes;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Screening;

namespace SignupGuard.Benchmarks.Core;

/// <summary>Step 6 without counting: what all of a signup's keys say.</summary>
[MemoryDiagnoser]
public class LinkerLook
{
    private readonly Screener _screener = new(SampleSignups.Policy);
    private readonly Linker _linker = new(SampleSignups.Policy.Linkage);
    private readonly LinkSet _links = new(SampleSignups.Policy.Linkage.Rules);
    private readonly KeyTable _table = new(large: true);
    private readonly LaneState _lane = new();
    private int _next;

    [GlobalSetup]
    public void Warm()
    {
        var ordinal = 0L;
        foreach (var signup in SampleSignups.Linkable.Take(SampleSignups.Before)) _screener.Screen(_table, _lane, signup, ++ordinal, static _ => null);
    }

    [Benchmark]
    public bool Look()
    {
        var signup = SampleSignups.Linkable[SampleSignups.Before + (_next++ % SampleSignups.Measured)];
        _linker.Look(_table, _lane, signup.Keys, signup.AtMs, counted: false, _links);
        _linker.Weigh(_table, _lane, signup.Keys, signup.AtMs, counted: false, explained: false, _links);
        return _links.Any;
    }
}
