using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Configuration;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;

namespace SignupGuard.Benchmarks.Core;

/// <summary>A signup by its steps without network and database, and as a whole. The same signups go round: later rounds meet keys that know them.</summary>
[MemoryDiagnoser]
public class WholeCore : IDisposable
{
    private readonly Screener _screener = new(SampleSignups.Policy);
    private readonly KeyTable _table = new(large: true);
    private readonly LaneState _lane = new();
    private OfflinePreparation _preparation = null!;
    private long _ordinal;
    private int _next;

    [GlobalSetup]
    public void Warm()
    {
        _preparation = new OfflinePreparation(new ConfigurationBuilder().Build(), SampleSignups.Policy.Linkage.Rules);
        foreach (var signup in SampleSignups.Linkable.Take(SampleSignups.Before)) _screener.Screen(_table, _lane, signup, ++_ordinal, static _ => null);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _preparation?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Steps 1 to 4: validate, canonicalise, collect signals, derive keys.</summary>
    [Benchmark]
    public object? Prepare() => _preparation.Prepare(SampleSignups.Messages[SampleSignups.Before + (_next++ % SampleSignups.Measured)], out _);

    /// <summary>Steps 6 and 7: link, judge, count.</summary>
    [Benchmark]
    public object Screen() => _screener.Screen(_table, _lane, SampleSignups.Linkable[SampleSignups.Before + (_next++ % SampleSignups.Measured)], ++_ordinal, static _ => null);

    [Benchmark]
    public object Whole()
    {
        var linkable = _preparation.Prepare(SampleSignups.Messages[SampleSignups.Before + (_next++ % SampleSignups.Measured)], out _)!;
        return _screener.Screen(_table, _lane, linkable, ++_ordinal, static _ => null);
    }
}
