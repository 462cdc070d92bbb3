namespace SignupGuard.Core.Linkage;

/// <summary>
/// What one signup saw on one of its keys: the counts include this signup, the evidence looks only at those before it.
/// </summary>
public sealed record Link
{
    public required LinkKey Key { get; init; }

    public required LinkageRule Rule { get; init; }

    public KeyKind Kind => Rule.Kind;

    /// <summary>Distinct accounts ever, this one included: at least 1.</summary>
    public required long Accounts { get; init; }

    /// <summary>Distinct accounts in the window that ends with this signup, this one included.</summary>
    public required double TenMinutes { get; init; }

    public required double Hour { get; init; }

    public required double Day { get; init; }

    /// <summary>Decayed unexplained accounts before this one.</summary>
    public required double Earlier { get; init; }

    /// <summary>Log-odds; 0 when within tolerance.</summary>
    public required double Evidence { get; init; }

    public required double ConfirmedBad { get; init; }

    /// <summary>0 when the key ties no cluster together.</summary>
    public required long Cluster { get; init; }

    /// <summary>Ordinals of up to <see cref="SamplesMax"/> latest earlier signups on the key, newest first.</summary>
    public required IReadOnlyList<long> Samples { get; init; }

    public const int SamplesMax = 5;
}

/// <summary>The key states a batch works on. Not thread-safe: one batch at a time.</summary>
public sealed class KeyTable
{
    private readonly Dictionary<LinkKey, KeyState> _states = [];
    private readonly HashSet<LinkKey> _changed = [];

    public int Count => _states.Count;

    /// <summary>Keys whose state differs from what was loaded.</summary>
    public IReadOnlyCollection<LinkKey> Changed => _changed;

    public KeyState this[LinkKey key] => _states[key];

    public bool Contains(LinkKey key) => _states.ContainsKey(key);

    public void Load(LinkKey key, KeyState state) => _states[key] = state;

    /// <summary>The state to change; a key never seen starts empty.</summary>
    public KeyState Change(LinkKey key)
    {
        ref var state = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_states, key, out _);
        _changed.Add(key);
        return state ??= new KeyState();
    }

    public void Clear()
    {
        _states.Clear();
        _changed.Clear();
    }
}

/// <summary>
/// Links one signup to those before it and counts it: step 6. Pure; the same code links live, in a backtest and in a test.
/// Call in the order of the signups: each sees all before it.
/// </summary>
public static class Linker
{
    /// <param name="ordinal">Place of the signup in the tenant's order; members are remembered by it.</param>
    public static IReadOnlyList<Link> Link(KeyTable table, IReadOnlyList<DerivedKey> keys, long account, long ordinal, long atMs)
    {
        var links = new Link[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            var (key, rule) = keys[i];
            var state = table.Change(key);
            // An account seen again on its own key is no evidence against itself.
            var known = state.Holds(account);
            var earlier = Math.Max(0, state.UnexplainedAt(atMs, rule.HalfLifeDays) - (known ? 1 : 0));
            var samples = Samples(state, account);
            state.Add(new KeyState.Member(account, ordinal), atMs, rule.HalfLifeDays, anomalous: false, unexplained: true);
            links[i] = new Link
            {
                Key = key,
                Rule = rule,
                Accounts = state.Accounts,
                TenMinutes = Math.Max(1, state.TenMinutesAt(atMs)),
                Hour = Math.Max(1, state.HourAt(atMs)),
                Day = Math.Max(1, state.DayAt(atMs)),
                Earlier = earlier,
                Evidence = rule.Class == LinkClass.Hard ? rule.HardEvidence(earlier) : 0,
                ConfirmedBad = state.ConfirmedBad,
                Cluster = state.Cluster,
                Samples = samples,
            };
        }
        return links;
    }

    private static List<long> Samples(KeyState state, long account)
    {
        var samples = new List<long>(Math.Min(SignupGuard.Core.Linkage.Link.SamplesMax, state.MemberCount));
        for (var i = state.MemberCount - 1; i >= 0 && samples.Count < SignupGuard.Core.Linkage.Link.SamplesMax; i--)
        {
            var member = state.MemberAt(i);
            if (member.Account != account) samples.Add(member.Ordinal);
        }
        return samples;
    }
}
