namespace SignupGuard.Core.Linkage;

/// <summary>
/// Links one signup to those before it, and counts it: step 6. Pure; the same code links live, in a backtest and in a test.
/// Call in the order of the signups: each sees all before it.
/// </summary>
public sealed class Linker
{
    private static readonly double Log2 = Math.Log(2);

    private readonly LinkagePolicy _policy;
    private readonly LinkageRule[] _rules;
    private readonly int[][] _parts;
    private readonly double[] _totalHalfLives;

    public Linker(LinkagePolicy policy)
    {
        _policy = policy;
        _rules = [.. policy.Rules];
        _parts = [.. policy.Rules.Select(rule => rule.Parts.ToArray())];
        _totalHalfLives = [.. policy.Rules.Where(rule => rule.Class == LinkClass.Soft).Select(rule => rule.HalfLifeDays).Distinct().Order()];
    }

    /// <summary>Reads what the signup's keys hold. Changes nothing.</summary>
    /// <param name="counted">
    /// False for a signup not yet counted. True to look again at one that was: its own account is taken out of the evidence, and the counts
    /// look at the present, past and future of the signup alike.
    /// </param>
    public void Look(KeyTable table, LaneState lane, DerivedKeys keys, long atMs, bool counted, LinkSet links)
    {
        // All places first: the reads do not depend on each other, so the processor waits for several keys at once.
        foreach (var rule in _rules)
        {
            ref var link = ref links[rule.Index];
            link = default;
            var key = keys.Keys[rule.Index];
            if (key.IsNone) continue;
            link.Present = true;
            link.Key = key;
            link.Slot = table.Find(key);
        }
        Read(table, keys.Account, keys.Organisation ?? 0, atMs, counted, links);
        if (counted) return;
        foreach (var rule in _rules)
        {
            if (rule.Spread is null || keys.Spreads[rule.Index] is not { } value) continue;
            ref var link = ref links[rule.Index];
            if (link.Key.IsNone || link.Holds) continue;
            if (link.Slot == KeyTable.Nowhere || !table.At(link.Slot).SpreadHolds(value)) link.Spread++;
        }
    }

    /// <summary>The same, <c>counted</c>, for a signup whose keys are known by their low 64 bits.</summary>
    internal void LookAgain(KeyTable table, in CompactKeys keys, long atMs, LinkSet links)
    {
        links.Clear();
        var next = 0;
        for (var left = keys.Present; left != 0; left &= left - 1)
        {
            ref var link = ref links[System.Numerics.BitOperations.TrailingZeroCount(left)];
            var low = keys.Low[next++];
            link.Present = true;
            link.Slot = table.Find(low);
            link.Key = link.Slot == KeyTable.Nowhere ? new LinkKey(low) : table.KeyAt(link.Slot);
        }
        Read(table, keys.Account, keys.Organisation ?? 0, atMs, counted: true, links);
    }

    private void Read(KeyTable table, int account, int organisation, long atMs, bool counted, LinkSet links)
    {
        var exempt = false;
        foreach (var rule in _rules)
        {
            ref var link = ref links[rule.Index];
            if (!link.Present) continue;
            link.Expected = double.NaN;
            link.Accounts = 1;
            link.TenMinutes = link.Hour = link.Day = 1;
            if (link.Slot == KeyTable.Nowhere) continue;
            ref readonly var state = ref table.At(link.Slot);
            if (state.Accounts > 0)
            {
                // Looking again, time has gone on for the key: measure at its latest.
                var nowMs = counted ? Math.Max(atMs, state.LastSeenMs) : atMs;
                var survey = state.Survey(account, nowMs);
                link.Holds = survey.Holds;
                var known = counted || survey.Holds;
                var one = known ? 0 : 1;
                link.Accounts = Math.Max(1, (long)state.Accounts + one);
                link.TenMinutes = Math.Max(1, survey.TenMinutes + one);
                link.Hour = Math.Max(1, survey.Hour + one);
                link.Day = Math.Max(1, survey.Day + one);
                link.AgeMs = Math.Max(0, atMs - state.FirstSeenMs);
                link.Bad = state.Bad;
                link.Good = state.Good;
                link.Decay = KeyState.Decay(state.LastSeenMs, nowMs, rule.HalfLifeDays);
                // Of an account counted long ago and no longer remembered: one at most.
                var own = !known ? 0
                    : !survey.Holds ? Math.Min(1, state.Count)
                    : survey.OwnCounted ? KeyState.Decay(survey.OwnAtMs, nowMs, rule.HalfLifeDays) : 0;
                link.Others = Math.Max(0, (state.Count * link.Decay) - own);
            }
            if (rule.Spread is not null) link.Spread = state.Spread;
            link.RegisteredMs = state.RegisteredMs ?? 0;
            link.Cluster = state.Cluster;
            link.Promoted = state.Promoted;
            exempt |= link.Exempt = state.Exempt;
            // Colleagues share cards and machines: inside one organisation a hard key says nothing.
            if (rule.Class == LinkClass.Hard && link.Others > rule.Tolerance)
                link.Evidence = rule.HardEvidence(link.Others * (1 - state.OrganisationShare(organisation, account)));
        }
        if (!exempt) return;
        // Rules find an exempt key missing; what chance expects of a composite still reads the counts of its exempt parts.
        foreach (var rule in _rules)
        {
            ref var link = ref links[rule.Index];
            link.Present &= !link.Exempt;
        }
    }

    /// <summary>Weighs what <see cref="Look"/> read on soft keys against chance.</summary>
    /// <param name="explained">An organisation explains the signup: its colleagues on a key are no evidence against it.</param>
    public void Weigh(KeyTable table, LaneState lane, DerivedKeys keys, long atMs, bool counted, bool explained, LinkSet links) =>
        Weigh(table, lane, keys.Account, explained ? keys.Organisation ?? 0 : 0, atMs, counted, links);

    internal void Weigh(KeyTable table, LaneState lane, int account, int organisation, long atMs, bool counted, LinkSet links)
    {
        var soft = _policy.Soft;
        foreach (var rule in _rules)
        {
            ref var link = ref links[rule.Index];
            if (!link.Present || link.Others < soft.CountMin || rule.Class != LinkClass.Soft || link.Slot == KeyTable.Nowhere) continue;
            if (rule.Kind.Count > 1)
            {
                ref readonly var state = ref table.At(link.Slot);
                var nowMs = counted ? Math.Max(atMs, state.LastSeenMs) : atMs;
                var total = rule.Total is { } within ? Math.Max(1, links[within].Others) : lane.TotalAt(nowMs, rule.HalfLifeDays);
                var expected = total;
                foreach (var part in _parts[rule.Index]) expected *= links[part].Others / total;
                link.Expected = expected;
                link.Surprise = soft.Surprise(link.Others * (1 - state.OrganisationShare(organisation, account)), expected);
                link.Gate = soft.Gate(state.Anomalous * link.Decay, link.Others);
                link.Evidence = link.Surprise * link.Gate * rule.Weight;
            }
            else if (rule.Burst)
            {
                Burst(table.At(link.Slot), lane, rule, atMs, counted, organisation, ref link);
            }
        }
    }

    /// <summary>The same test in time: the last ten minutes and hour against the key's own usual pace at this hour of the week.</summary>
    private void Burst(in KeyState state, LaneState lane, LinkageRule rule, long atMs, bool counted, int organisation, ref Link link)
    {
        // A decayed count n in a steady stream is rate × half-life / ln 2.
        var perMs = link.Others * Log2 / (rule.HalfLifeDays * KeyState.DayMs);
        var season = lane.SeasonFactor(atMs);
        foreach (var windowMs in (ReadOnlySpan<long>)[KeyState.TenMinutesMs, KeyState.HourMs])
        {
            // A run that this signup began goes on after it: looked at again, the window has both sides. A late signup sees what was before it in line.
            var (run, anomalous) = state.CountedWithin(atMs - windowMs, counted ? atMs + windowMs : long.MaxValue, organisation);
            if (run > 0 && link.Holds) run--;
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

    /// <summary>Counts the signup on all its keys and in the lane, and promotes the keys that convince. Right after its look: that found the keys.</summary>
    public void Count(KeyTable table, LaneState lane, DerivedKeys keys, in KeyEvent added, LinkSet links)
    {
        lane.Add(added.AtMs, _totalHalfLives);
        var organisationAccounts = _policy.Soft.OrganisationAccounts;
        foreach (var rule in _rules)
        {
            ref var link = ref links[rule.Index];
            if (link.Key.IsNone) continue;
            var seen = link.Slot != KeyTable.Nowhere;
            ref var state = ref seen ? ref table.Change(link.Slot) : ref table.Change(link.Key);
            if (!seen) state.Add(added, rule, organisationAccounts, keys.Spreads[rule.Index]);
            else if (!link.Holds) state.AddNew(added, rule, organisationAccounts, keys.Spreads[rule.Index], link.Decay);
            if (link.Exempt) continue;
            if (!state.Promoted && _policy.Promotes(rule, link, state.Accounts, state.Bad)) state.Promoted = link.NewlyPromoted = true;
            link.Promoted = state.Promoted;
        }
    }
}

/// <summary>The linkage part of a policy: what ties accounts together.</summary>
public sealed record LinkagePolicy
{
    public required IReadOnlyList<LinkageRule> Rules { get; init; }

    public SoftEvidence Soft { get; init; } = new();

    public Promotion Promotion { get; init; } = new();

    /// <summary>Whether a key ties accounts together from now on.</summary>
    /// <param name="accounts">On the key, ever.</param>
    /// <param name="bad">Those of them confirmed bad.</param>
    public bool Promotes(LinkageRule rule, in Link link, double accounts, double bad)
    {
        if (!rule.Promotes || rule.Mode != RuleMode.Live) return false;
        if (bad >= Promotion.Bad && bad >= Promotion.BadShare * accounts && rule.Class == LinkClass.Hard) return true;
        return rule.Class == LinkClass.Hard
            ? link.Evidence > 0
            : rule.Kind.Count > 1 && link.Surprise >= Promotion.Surprise && link.Gate >= Promotion.Gate;
    }
}
