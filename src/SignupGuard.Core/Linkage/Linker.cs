namespace SignupGuard.Core.Linkage;

/// <summary>
/// What one signup saw on one of its keys: the counts include this signup, the evidence looks only at the others.
/// </summary>
public struct Link
{
    /// <summary>False when the signup lacks the key; then nothing else means anything.</summary>
    public bool Present { get; set; }

    public LinkKey Key { get; set; }

    /// <summary>Distinct accounts ever, this one included: at least 1.</summary>
    public long Accounts { get; set; }

    /// <summary>Distinct accounts in the window that ends with this signup, this one included.</summary>
    public double TenMinutes { get; set; }

    public double Hour { get; set; }

    public double Day { get; set; }

    /// <summary>Decayed accounts that count as evidence, this one excluded.</summary>
    public double Others { get; set; }

    /// <summary>What chance expects of <see cref="Others"/>; composites and bursts only, else NaN.</summary>
    public double Expected { get; set; }

    /// <summary>Powers of ten, before the gate; composites and bursts only.</summary>
    public double Surprise { get; set; }

    /// <summary>How far the anomaly gate is open, 0 to 1; soft keys only.</summary>
    public double Gate { get; set; }

    /// <summary>Log-odds this key adds by itself; 0 when it says nothing.</summary>
    public double Evidence { get; set; }

    /// <summary>Whether <see cref="Surprise"/> is of a burst rather than of the count.</summary>
    public bool IsBurst { get; set; }

    public double Bad { get; set; }

    public double Good { get; set; }

    /// <summary>Different values of the rule's spread attribute, this signup's included; 0 when the rule has none.</summary>
    public int Spread { get; set; }

    /// <summary>Milliseconds since the key was first seen; 0 for a new one.</summary>
    public long AgeMs { get; set; }

    /// <summary>Of a domain's key: when the domain was registered, as an earlier signup's caller found; 0 while unknown.</summary>
    public long RegisteredMs { get; set; }

    /// <summary>0 when the key ties no cluster together.</summary>
    public long Cluster { get; set; }

    /// <summary>Convincing enough to tie accounts together, now or before.</summary>
    public bool Promoted { get; set; }

    /// <summary>Promoted by this very signup.</summary>
    public bool NewlyPromoted { get; set; }

    /// <summary>The key is exempt: not <see cref="Present"/> to rules and evidence, counted all the same.</summary>
    public bool Exempt { get; set; }
}

/// <summary>The links of one signup, by <see cref="LinkageRule.Index"/>. Reused from signup to signup: copy what is kept.</summary>
public sealed class LinkSet(IReadOnlyList<LinkageRule> rules)
{
    private readonly Link[] _links = new Link[rules.Count];

    public IReadOnlyList<LinkageRule> Rules { get; } = rules;

    public int Count => _links.Length;

    public ref Link this[int index] => ref _links[index];

    /// <summary>Whether the signup has any key at all.</summary>
    public bool Any
    {
        get
        {
            foreach (ref readonly var link in _links.AsSpan())
            {
                if (link.Present) return true;
            }
            return false;
        }
    }

    public void Clear() => Array.Clear(_links);
}

/// <summary>
/// Links one signup to those before it, and counts it: step 6. Pure; the same code links live, in a backtest and in a test.
/// Call in the order of the signups: each sees all before it.
/// </summary>
public sealed class Linker
{
    private readonly LinkagePolicy _policy;
    private readonly double[] _totalHalfLives;

    public Linker(LinkagePolicy policy)
    {
        _policy = policy;
        _totalHalfLives = [.. policy.Rules.Where(rule => rule.Class == LinkClass.Soft).Select(rule => rule.HalfLifeDays).Distinct().Order()];
    }

    /// <summary>Reads what the signup's keys hold. Changes nothing.</summary>
    /// <param name="counted">
    /// False for a signup not yet counted. True to look again at one that was: its own account is taken out of the evidence, and the counts
    /// look at the present, past and future of the signup alike.
    /// </param>
    public void Look(KeyTable table, LaneState lane, DerivedKeys keys, long atMs, bool counted, LinkSet links)
    {
        var exempt = false;
        foreach (var rule in _policy.Rules)
        {
            ref var link = ref links[rule.Index];
            link = default;
            var key = keys.Keys[rule.Index];
            if (key.IsNone) continue;
            ref readonly var state = ref table.Look(key);
            var known = counted || state.Holds(keys.Account);
            var one = known ? 0 : 1;
            // Looking again, time has gone on for the key: measure at its latest.
            var nowMs = counted ? Math.Max(atMs, state.LastSeenMs) : atMs;
            link.Present = true;
            link.Key = key;
            link.Accounts = Math.Max(1, (long)state.Accounts + one);
            if (state.Accounts == 0)
            {
                link.TenMinutes = link.Hour = link.Day = 1;
            }
            else
            {
                link.TenMinutes = Math.Max(1, state.Within(nowMs, KeyState.TenMinutesMs) + one);
                link.Hour = Math.Max(1, state.Within(nowMs, KeyState.HourMs) + one);
                link.Day = Math.Max(1, state.Within(nowMs, KeyState.DayMs) + one);
                link.AgeMs = Math.Max(0, atMs - state.FirstSeenMs);
                link.Bad = state.Bad;
                link.Good = state.Good;
                link.Others = Math.Max(0, state.CountAt(nowMs, rule.HalfLifeDays) - Own(state, keys.Account, nowMs, rule, known));
            }
            link.Expected = double.NaN;
            link.Spread = rule.Spread is null ? 0 : state.Spread + (known || keys.Spreads[rule.Index] is not { } value || SpreadHolds(state, value) ? 0 : 1);
            link.RegisteredMs = state.RegisteredMs ?? 0;
            link.Cluster = state.Cluster;
            link.Promoted = state.Promoted;
            exempt |= link.Exempt = state.Exempt;
            // Colleagues share cards and machines: inside one organisation a hard key says nothing.
            if (rule.Class == LinkClass.Hard)
                link.Evidence = rule.HardEvidence(link.Others * (1 - state.OrganisationShare(keys.Organisation ?? 0, keys.Account)));
        }
        if (!exempt) return;
        // Rules find an exempt key missing; what chance expects of a composite still reads the counts of its exempt parts.
        foreach (var rule in _policy.Rules)
        {
            ref var link = ref links[rule.Index];
            link.Present &= !link.Exempt;
        }
    }

    /// <summary>Weighs what <see cref="Look"/> read on soft keys against chance.</summary>
    /// <param name="explained">An organisation explains the signup: its colleagues on a key are no evidence against it.</param>
    public void Weigh(KeyTable table, LaneState lane, DerivedKeys keys, long atMs, bool counted, bool explained, LinkSet links)
    {
        var organisation = explained ? keys.Organisation ?? 0 : 0;
        var soft = _policy.Soft;
        foreach (var rule in _policy.Rules)
        {
            ref var link = ref links[rule.Index];
            if (!link.Present || rule.Class != LinkClass.Soft || link.Others < soft.CountMin) continue;
            if (rule.Kind.Count > 1)
            {
                ref readonly var state = ref table.Look(link.Key);
                var nowMs = counted ? Math.Max(atMs, state.LastSeenMs) : atMs;
                var total = rule.Total is { } within ? Math.Max(1, links[within].Others) : lane.TotalAt(nowMs, rule.HalfLifeDays);
                var expected = total;
                foreach (var part in rule.Parts) expected *= links[part].Others / total;
                link.Expected = expected;
                link.Surprise = soft.Surprise(link.Others * (1 - state.OrganisationShare(organisation, keys.Account)), expected);
                link.Gate = soft.Gate(state.AnomalousAt(nowMs, rule.HalfLifeDays), link.Others);
                link.Evidence = link.Surprise * link.Gate * rule.Weight;
            }
            else if (rule.Burst)
            {
                Burst(table.Look(link.Key), lane, rule, atMs, counted, keys.Account, organisation, ref link);
            }
        }
    }

    /// <summary>The same test in time: the last ten minutes and hour against the key's own usual pace at this hour of the week.</summary>
    private void Burst(in KeyState state, LaneState lane, LinkageRule rule, long atMs, bool counted, int account, int organisation, ref Link link)
    {
        // A decayed count n in a steady stream is rate × half-life / ln 2.
        var perMs = link.Others * Math.Log(2) / (rule.HalfLifeDays * KeyState.DayMs);
        var season = lane.SeasonFactor(atMs);
        foreach (var windowMs in (ReadOnlySpan<long>)[KeyState.TenMinutesMs, KeyState.HourMs])
        {
            // A run that this signup began goes on after it: looked at again, the window has both sides. A late signup sees what was before it in line.
            var (run, anomalous) = state.CountedWithin(atMs - windowMs, counted ? atMs + windowMs : long.MaxValue, organisation);
            if (run > 0 && state.Holds(account)) run--;
            var expected = perMs * (counted ? 2 * windowMs : windowMs) * season;
            var surprise = _policy.Soft.Surprise(run, expected);
            if (surprise <= link.Surprise) continue;
            link.IsBurst = true;
            link.Surprise = surprise;
            link.Expected = expected;
            link.Gate = _policy.Soft.Gate(anomalous, run);
            link.Evidence = surprise * link.Gate * rule.Weight;
        }
    }

    /// <summary>Counts the signup on all its keys and in the lane, and promotes the keys that convince.</summary>
    public void Count(KeyTable table, LaneState lane, DerivedKeys keys, in KeyEvent added, LinkSet links)
    {
        lane.Add(added.AtMs, _totalHalfLives);
        foreach (var rule in _policy.Rules)
        {
            ref var link = ref links[rule.Index];
            if (!link.Present && !link.Exempt) continue;
            ref var state = ref table.Change(link.Key);
            state.Add(added, rule, _policy.Soft.OrganisationAccounts, keys.Spreads[rule.Index]);
            if (link.Exempt) continue;
            if (!state.Promoted && Promotes(rule, link, state)) state.Promoted = link.NewlyPromoted = true;
            link.Promoted = state.Promoted;
        }
    }

    /// <summary>Whether a key ties accounts together from now on.</summary>
    private bool Promotes(LinkageRule rule, in Link link, in KeyState state)
    {
        if (!rule.Promotes || rule.Mode != RuleMode.Live) return false;
        var promotion = _policy.Promotion;
        if (state.Bad >= promotion.Bad && state.Bad >= promotion.BadShare * state.Accounts && rule.Class == LinkClass.Hard) return true;
        return rule.Class == LinkClass.Hard
            ? link.Evidence > 0
            : rule.Kind.Count > 1 && link.Surprise >= promotion.Surprise && link.Gate >= promotion.Gate;
    }

    private static bool SpreadHolds(in KeyState state, int value) => state.History is { } history && history.SpreadValues.Contains(value);

    /// <summary>What the signup's own account adds to the decayed count, when it is there and counted.</summary>
    private static double Own(in KeyState state, int account, long nowMs, LinkageRule rule, bool known)
    {
        if (!known) return 0;
        for (var i = state.MemberCount - 1; i >= 0; i--)
        {
            var member = state.MemberAt(i);
            if (member.Account == account) return member.Counted ? KeyState.Decay(member.AtMs, nowMs, rule.HalfLifeDays) : 0;
        }
        // Counted long ago and no longer remembered: one account at most.
        return Math.Min(1, state.Count);
    }
}

/// <summary>The linkage part of a policy: what ties accounts together.</summary>
public sealed record LinkagePolicy
{
    public required IReadOnlyList<LinkageRule> Rules { get; init; }

    public SoftEvidence Soft { get; init; } = new();

    public Promotion Promotion { get; init; } = new();
}
