using BenchmarkDotNet.Attributes;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;

namespace SignupGuard.Benchmarks.Core;

/// <summary>Step 7: all rules of the policy shipped over one signup's facts, most of its keys seen before.</summary>
[MemoryDiagnoser]
public class PolicyJudge
{
    private readonly Facts[] _facts = new Facts[SampleSignups.Measured];
    private int _next;

    [GlobalSetup]
    public void Link()
    {
        var policy = SampleSignups.Policy;
        var (screener, linker, table, lane) = (new Screener(policy), new Linker(policy.Linkage), new KeyTable(large: true), new LaneState());
        var ordinal = 0L;
        foreach (var signup in SampleSignups.Linkable.Take(SampleSignups.Before)) screener.Screen(table, lane, signup, ++ordinal, static _ => null);
        for (var i = 0; i < _facts.Length; i++)
        {
            var signup = SampleSignups.Linkable[SampleSignups.Before + i];
            var links = new LinkSet(policy.Linkage.Rules);
            linker.Look(table, lane, signup.Keys, signup.AtMs, counted: false, links);
            linker.Weigh(table, lane, signup.Keys, signup.AtMs, counted: false, explained: false, links);
            _facts[i] = new Facts(signup.Signup, signup.Signals, links, null);
        }
    }

    [Benchmark]
    public object Judge() => SampleSignups.Policy.Judge(_facts[_next++ % _facts.Length]);
}
