using SignupGuard.Cel;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Policies;

/// <summary>What one decision rule made of a signup.</summary>
internal enum RuleResult : byte
{
    /// <summary>It does not hold, is off, or holds in shadow.</summary>
    No,
    Holds,

    /// <summary>A fact it needs is missing, or it failed.</summary>
    Undecided,
}

/// <summary>
/// What of a signup stands however its links change: results of the rules that read no links, and the values of the fields that the other rules
/// read besides. Enough to judge it again without keeping the signup. Immutable; equal ones are shared by many signups.
/// </summary>
internal sealed class Standing
{
    private readonly IReadOnlyDictionary<string, int> _fields;
    private readonly RuleResult[] _results;
    private readonly CelValue[] _values;

    public Standing(IReadOnlyDictionary<string, int> fields, ReadOnlySpan<RuleResult> results, ReadOnlySpan<CelValue> values)
    {
        _fields = fields;
        _results = results.ToArray();
        _values = values.ToArray();
    }

    /// <summary>By rule, in the policy's order; without meaning for rules that read links.</summary>
    public ReadOnlySpan<RuleResult> Results => _results;

    /// <summary>The value of a field, an error value where it was missing.</summary>
    public CelValue this[string path] => _values[_fields[path]];

    public bool Is(ReadOnlySpan<RuleResult> results, ReadOnlySpan<CelValue> values) => results.SequenceEqual(_results) && values.SequenceEqual(_values);

    public static int Hash(ReadOnlySpan<RuleResult> results, ReadOnlySpan<CelValue> values)
    {
        var hash = default(HashCode);
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(results));
        foreach (ref readonly var value in values) hash.Add(value);
        return hash.ToHashCode();
    }
}

/// <summary>Makes what stands of a stream's signups under one policy, each different one once. Not thread-safe.</summary>
internal sealed class Standings
{
    /// <summary>Different ones that are found again; more are kept by their signups alone.</summary>
    private const int SharedMax = 65_536;

    private readonly Policy _policy;
    private readonly Dictionary<string, int> _fields = new(StringComparer.Ordinal);
    private readonly CelProgram<Facts>[] _reads;
    private readonly CelValue[] _values;
    private readonly RuleResult[] _results;
    private readonly Dictionary<int, Standing> _shared = [];

    public Standings(Policy policy)
    {
        _policy = policy;
        var read = policy.Rules.Where(rule => rule.Mode != RuleMode.Off && FactsEnvironment.ReadsLinks(rule.When)).SelectMany(rule => rule.When.Reads)
            .Concat(policy.Explained?.Reads ?? Enumerable.Empty<string>())
            .Distinct(StringComparer.Ordinal)
            .ToList();
        // A function may read anything.
        Possible = !read.Exists(FactsEnvironment.IsFunction);
        var environment = FactsEnvironment.For(policy.Linkage.Rules);
        var kept = Possible ? read.Where(path => !FactsEnvironment.ReadsLinks(path)).Order(StringComparer.Ordinal).ToList() : [];
        foreach (var path in kept) _fields.Add(path, _fields.Count);
        _reads = [.. kept.Select(path => environment.Compile(path).Program ?? throw new InvalidOperationException($"The field {path} does not compile by itself."))];
        _values = new CelValue[_reads.Length];
        _results = new RuleResult[policy.Rules.Count];
    }

    /// <summary>False when a rule could read more than its fields say: then the signup itself has to be kept.</summary>
    public bool Possible { get; }

    /// <summary>What stands of a signup just judged.</summary>
    public Standing Of(Facts facts, ReadOnlySpan<RuleResult> results)
    {
        for (var i = 0; i < _results.Length; i++) _results[i] = _policy.ReadsLinks(i) ? RuleResult.No : results[i];
        for (var i = 0; i < _reads.Length; i++) _values[i] = _reads[i].Evaluate(facts);
        var hash = Standing.Hash(_results, _values);
        if (_shared.TryGetValue(hash, out var known) && known.Is(_results, _values)) return known;
        var made = new Standing(_fields, _results, _values);
        // Fields that differ from signup to signup, as times do, share nothing: make room for those that do.
        if (_shared.Count == SharedMax) _shared.Clear();
        return _shared[hash] = made;
    }
}
