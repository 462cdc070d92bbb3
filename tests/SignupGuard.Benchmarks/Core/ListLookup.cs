using System.Globalization;
using BenchmarkDotNet.Attributes;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Screening;

namespace SignupGuard.Benchmarks.Core;

/// <summary>
/// Holding a signup against its tenant's lists: a deny list of each type, with so many entries in all that no signup is on. Compare with
/// <see cref="KeyDerivation"/>, which comes before it. Networks have twelve lengths.
/// </summary>
[MemoryDiagnoser]
public class ListLookup
{
    private const string Tenant = "default";

    private static readonly ListType[] Types = Enum.GetValues<ListType>();

    private readonly ListMatcher _matcher = new(SampleSignups.Hasher);
    private readonly LinkKeyDerivation _derivation = new(SampleSignups.Hasher, SampleSignups.Policy.Linkage.Rules);
    private LinkableSignup[] _signups = [];
    private ListIndex _index = ListIndex.Empty;
    private int _next;

    [Params(0, 10_000, 1_000_000)]
    public int Entries { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        // Keys as the hasher of the lists makes them.
        _signups = [.. SampleSignups.Linkable.Skip(SampleSignups.Before).Select(signup => signup with { Keys = _derivation.Derive(Tenant, signup.Signup, signup.Signals) })];
        _index = Index(Entries);
    }

    /// <summary>An index of so many entries, evenly over all types.</summary>
    internal static ListIndex Index(int entries)
    {
        var random = new Random(1);
        var lists = Types.Select(type => new ListDefinition((long)type, ListStoreWord(type), ListEffect.Deny, type)).ToArray();
        var rows = new List<ListEntry>(entries);
        for (var i = 0; i < entries; i++)
        {
            var type = Types[i % Types.Length];
            rows.Add(new ListEntry((long)type, Key(type, i, random), null, $"feed {i % 8}"));
        }
        return ListIndex.Empty.Apply(new ListChanges(1, lists, [], rows, []));
    }

    [Benchmark]
    public object Match()
    {
        var signup = _signups[_next++ % _signups.Length];
        return _matcher.Match(_index, Tenant, signup.Signup, signup.Signals, signup.Keys, SampleSignups.Policy.Linkage.Rules);
    }

    [Benchmark(Baseline = true)]
    public object Keys()
    {
        var signup = _signups[_next++ % _signups.Length];
        return _derivation.Derive(Tenant, signup.Signup, signup.Signals);
    }

    private static string ListStoreWord(ListType type) => type.ToString().ToLowerInvariant();

    private static ListKey Key(ListType type, int i, Random random) => type switch
    {
        // Of a part of the space that no signup of the sample is in.
        ListType.Ip when i % 2 == 0 => ListKey.OfNetwork(((UInt128)0xFFFF << 32) | (0xF0000000 | (uint)random.Next(0x0FFFFFFF)), ListKey.MappedBits + 20 + (i / 20 % 12)),
        ListType.Asn => ListKey.OfAsn((uint)(4_200_000_000 + (i % 90_000_000))),
        ListType.Bin => ListKey.OfShortText((90_000_000 + (i % 9_999_999)).ToString(CultureInfo.InvariantCulture)),
        ListType.Country => ListKey.OfShortText((i % 10).ToString(CultureInfo.InvariantCulture)),
        _ => new ListKey(new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64())),
    };
}
