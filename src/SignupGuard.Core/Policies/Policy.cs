using SignupGuard.Cel;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;

namespace SignupGuard.Core.Policies;

/// <summary>One decision rule: when it holds, what it adds or decides outright.</summary>
public sealed record DecisionRule
{
    /// <summary>Stable id, snake_case, unique in the policy.</summary>
    public required string Id { get; init; }

    public required CelProgram<Facts> When { get; init; }

    /// <summary>Log-odds added when it holds, −20 to 20; 0 for outright rules.</summary>
    public double Points { get; init; }

    /// <summary>
    /// Whether the points speak of links to other accounts (the rule reads <c>link</c> or <c>cluster</c>): then they count as linkage, which
    /// alone denies only under the policy's safeguard.
    /// </summary>
    public required bool Linkage { get; init; }

    /// <summary>Set for outright rules.</summary>
    public Verdict? Outright { get; init; }

    public required string Code { get; init; }

    public required string Text { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];

    public IReadOnlyList<string> Obligations { get; init; } = [];

    public RuleMode Mode { get; init; }

    /// <summary>Who answers for it; null where nobody is named.</summary>
    public string? Owner { get; init; }

    /// <summary>Signups that occurred then or later are not its concern: by their own time, so that a replay gives the same answer. Null: for good.</summary>
    public DateTimeOffset? Expires { get; init; }

    internal long ExpiresMs => Expires?.ToUnixTimeMilliseconds() ?? long.MaxValue;
}

/// <summary>When linkage alone may deny: a safeguard over every score. Rules with an outright verdict stand above it.</summary>
/// <param name="ClusterSize">Accounts the network must have; 2 to 1,000,000.</param>
/// <param name="KeyGroups">Independent groups of keys that must hold it together; 1 to 4.</param>
/// <param name="OrganisationShare">
/// A network of which the accounts at the signup's own e-mail domain make up so much is an organisation, or a front that plays one: people decide. 0 to 1.
/// </param>
/// <param name="NetworkKeysAlone">
/// Whether it may deny a signup whose own convincing keys all depend on where it came from (an address, a range, an autonomous system, alone or with
/// something else). False: a stranger on the exit of a VPN that an attacker uses, with the same browser, is left to people.
/// </param>
public sealed record DenySafeguard(long ClusterSize, int KeyGroups, double OrganisationShare, bool NetworkKeysAlone);

/// <summary>A validated, compiled policy. Immutable; swapped as a whole.</summary>
public sealed class Policy
{
    /// <summary>Linkage contributions together never exceed this much log-odds: a hundred shared keys are not a hundred proofs.</summary>
    public const double LinkageLogOddsMax = 12;

    /// <summary>Reason codes of lists that decide outright.</summary>
    internal const string ListAllowed = "LIST_ALLOWED";

    internal const string ListDenied = "LIST_DENIED";

    public required long Version { get; init; }

    public required string Name { get; init; }

    /// <summary>Log-odds of fraud before any evidence.</summary>
    public required double BaseLogOdds { get; init; }

    public required Calibration Calibration { get; init; }

    /// <summary>Score (percent) from which a signup is reviewed.</summary>
    public required double ReviewFrom { get; init; }

    /// <summary>Score (percent) from which a signup is denied; above <see cref="ReviewFrom"/>.</summary>
    public required double DenyFrom { get; init; }

    public required DenySafeguard Safeguard { get; init; }

    /// <summary>The verdict when the link database can't be reached.</summary>
    public required Verdict FailureVerdict { get; init; }

    public required LinkagePolicy Linkage { get; init; }

    /// <summary>Whether a signup is of the kind that hides its origin; null for never. Missing facts: no.</summary>
    public required CelProgram<Facts>? Anomalous { get; init; }

    /// <summary>Whether an organisation explains what the signup shares with others; null for never. Missing facts: no.</summary>
    public required CelProgram<Facts>? Explained { get; init; }

    public required IReadOnlyList<DecisionRule> Rules { get; init; }

    /// <summary>
    /// Step 7: contributions, score, and the one fold of precedence. Outright allow, then outright deny, then outright review, then the
    /// score's thresholds; and one safeguard over the score: links deny alone only where the network is large and held together twice.
    /// An allow list is an outright allow and a deny list an outright deny, with no difference to a rule's.
    /// </summary>
    public Judgement Judge(Facts facts)
    {
        var results = (stackalloc RuleResult[Rules.Count]);
        Evaluate(facts, results);
        return Conclude(facts, results);
    }

    /// <summary>The same, and what of it stands however the signup's links change.</summary>
    internal Judgement Judge(Facts facts, Standings standings, out Standing standing)
    {
        var results = (stackalloc RuleResult[Rules.Count]);
        Evaluate(facts, results);
        standing = standings.Of(facts, results);
        return Conclude(facts, results);
    }

    /// <summary>Judges again what stands of a signup, by what its links are now.</summary>
    /// <returns>Null when the verdict would not be more severe: nothing comes of it then.</returns>
    internal Judgement? JudgeAgain(Facts facts, Standing standing, Verdict inForce)
    {
        var results = (stackalloc RuleResult[Rules.Count]);
        standing.Results.CopyTo(results);
        foreach (var index in Prepared.Again) results[index] = Evaluate(Prepared.Rules[index], facts);
        var (own, linked, outright) = Sum(facts, results, null);
        return Decide(facts, own, linked, outright) > inForce ? Conclude(facts, results) : null;
    }

    /// <summary>Whether the rule at this place has to be evaluated again when links changed.</summary>
    internal bool ReadsLinks(int rule) => Prepared.ReadsLinks[rule];

    private void Evaluate(Facts facts, Span<RuleResult> results)
    {
        var rules = Prepared.Rules;
        for (var i = 0; i < rules.Length; i++) results[i] = Evaluate(rules[i], facts);
    }

    private static RuleResult Evaluate(DecisionRule rule, Facts facts)
    {
        if (rule.Mode == RuleMode.Off || facts.AtMs >= rule.ExpiresMs) return RuleResult.No;
        var holds = rule.When.Evaluate(facts);
        // Missing or failed: the rule does not fire, and the decision says that it could not be decided.
        return holds.IsError ? RuleResult.Undecided
            : holds.IsTrue && rule.Mode != RuleMode.Shadow ? RuleResult.Holds
            : RuleResult.No;
    }

    private (double Own, double Linked, Verdict? Outright) Sum(Facts facts, ReadOnlySpan<RuleResult> results, List<Reason>? reasons)
    {
        var own = BaseLogOdds;
        var linked = 0d;
        Verdict? outright = null;
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] != RuleResult.Holds) continue;
            var rule = Prepared.Rules[i];
            if (rule.Linkage) linked += rule.Points;
            else own += rule.Points;
            outright = Stronger(outright, rule.Outright);
            reasons?.Add(new Reason(rule.Code, rule.Text, rule.Points, null) { RuleId = rule.Id });
        }
        outright = Stronger(outright, facts.Lists.Outright);
        if (reasons is not null && facts.Lists.All.Count > 0) Listed(facts.Lists, reasons);
        return (own, linked + Linked(facts.Links, reasons), outright);
    }

    private Verdict Decide(Facts facts, double own, double linked, Verdict? outright) =>
        Fold(outright, Calibration.Score(own + linked), Calibration.Score(own), Denies(facts));

    private Judgement Conclude(Facts facts, ReadOnlySpan<RuleResult> results)
    {
        var reasons = new List<Reason>(results.Count(RuleResult.Holds));
        var (own, linked, outright) = Sum(facts, results, reasons);
        List<string>? labels = null;
        List<string>? obligations = null;
        string[] undecided = results.Count(RuleResult.Undecided) is > 0 and var missing ? new string[missing] : [];
        var next = 0;
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] == RuleResult.No) continue;
            var rule = Prepared.Rules[i];
            if (results[i] == RuleResult.Undecided)
            {
                undecided[next++] = rule.Id;
                continue;
            }
            if (rule.Labels.Count > 0) (labels ??= []).AddRange(rule.Labels);
            if (rule.Obligations.Count > 0) (obligations ??= []).AddRange(rule.Obligations);
        }
        for (var i = 0; i < facts.Lists.All.Count; i++)
        {
            if (facts.Lists.All[i] is { Effect: ListEffect.Watch } hit) (labels ??= []).Add($"watch:{hit.List}");
        }
        return new Judgement
        {
            Verdict = Decide(facts, own, linked, outright),
            LogOdds = own + linked,
            Score = Calibration.Score(own + linked),
            Reasons = Strongest(reasons),
            Labels = labels is null ? [] : Distinct(labels),
            Obligations = obligations is null ? [] : Distinct(obligations),
            Undecided = undecided,
        };
    }

    /// <summary>Why the lists: their names and the entries' reasons, never the values.</summary>
    private static void Listed(ListHits lists, List<Reason> reasons)
    {
        foreach (var hit in lists.All)
        {
            var (code, what) = hit.Effect switch
            {
                ListEffect.Allow => (ListAllowed, "allow"),
                ListEffect.Deny => (ListDenied, "deny"),
                _ => ("LIST_WATCHED", "watch"),
            };
            reasons.Add(new Reason(code, hit.Reason is { } reason ? $"On the {what} list {hit.List}: {reason}" : $"On the {what} list {hit.List}.", 0, null));
        }
    }

    private Preparation Prepared => field ??= new Preparation(this);

    /// <summary>What is worked out once for all signups.</summary>
    private sealed class Preparation(Policy policy)
    {
        public DecisionRule[] Rules { get; } = [.. policy.Rules];

        public LinkageRule[] Linkage { get; } = [.. policy.Linkage.Rules];

        public bool[] ReadsLinks { get; } = [.. policy.Rules.Select(rule => FactsEnvironment.ReadsLinks(rule.When))];

        /// <summary>Places of the rules that read links.</summary>
        public int[] Again { get; } = [.. Enumerable.Range(0, policy.Rules.Count).Where(index => FactsEnvironment.ReadsLinks(policy.Rules[index].When))];

        /// <summary>By linkage rule.</summary>
        public LinkWords[] Words { get; } = [.. policy.Linkage.Rules.Select(rule => LinkWords.Of(rule.Kind))];
    }

    /// <summary>How a kind of key is called in reasons.</summary>
    private sealed record LinkWords(string Shared, string Burst, string Name)
    {
        public static LinkWords Of(KeyKind kind)
        {
            var code = FactsEnvironment.FieldName(kind).ToUpperInvariant();
            return new LinkWords($"{code}_SHARED", $"{code}_BURST", kind.ToString().Replace('_', ' ').Replace("+", " and ", StringComparison.Ordinal));
        }
    }

    /// <summary>Log-odds of all keys: hard ones add up, of soft ones the best few count, each less than the one before.</summary>
    private double Linked(LinkSet links, List<Reason>? reasons)
    {
        var sum = 0d;
        var soft = Linkage.Soft;
        var best = (stackalloc int[soft.Best]);
        var found = 0;
        foreach (var rule in Prepared.Linkage)
        {
            ref readonly var link = ref links[rule.Index];
            if (!link.Present || link.Evidence <= 0 || rule.Mode != RuleMode.Live) continue;
            if (rule.Class == LinkClass.Hard)
            {
                sum += Add(rule, link, Math.Min(link.Evidence, LinkageLogOddsMax - sum), reasons);
                continue;
            }
            // Insertion among the best: there are four, not four hundred.
            var at = found;
            while (at > 0 && links[best[at - 1]].Evidence < link.Evidence) at--;
            if (at >= best.Length) continue;
            found = Math.Min(found + 1, best.Length);
            for (var i = found - 1; i > at; i--) best[i] = best[i - 1];
            best[at] = rule.Index;
        }
        var factor = soft.Weight;
        foreach (var index in best[..found])
        {
            sum += Add(Prepared.Linkage[index], links[index], Math.Min(links[index].Evidence * factor, LinkageLogOddsMax - sum), reasons);
            factor *= soft.RankFactor;
        }
        return sum;
    }

    private double Add(LinkageRule rule, in Link link, double evidence, List<Reason>? reasons)
    {
        if (evidence <= 0) return 0;
        if (reasons is null) return evidence;
        var words = Prepared.Words[rule.Index];
        reasons.Add(new Reason(
            link.IsBurst ? words.Burst : words.Shared,
            link.IsBurst ? $"A sudden run of accounts on one {words.Name}." : $"{link.Accounts} accounts share this {words.Name}.",
            evidence,
            new EvidenceStep(rule.Kind, link.Key, link.Accounts, double.IsNaN(link.Expected) ? null : link.Expected, evidence, link.Bad)));
        return evidence;
    }

    /// <summary>Whether the signup's network is one that links alone may deny for.</summary>
    private bool Denies(Facts facts) => Denies(facts.Links, facts.Cluster);

    /// <summary>The same, by a signup's links and network.</summary>
    internal bool Denies(LinkSet links, ClusterFacts? network)
    {
        if (network is not { } cluster || cluster.Size < Safeguard.ClusterSize || cluster.KeyGroupCount < Safeguard.KeyGroups) return false;
        var tied = Safeguard.NetworkKeysAlone;
        foreach (var rule in Prepared.Linkage)
        {
            ref readonly var link = ref links[rule.Index];
            if (!link.Present) continue;
            if (rule.Kind == DomainKind && link.Accounts >= Safeguard.OrganisationShare * cluster.Size) return false;
            tied |= link.Promoted && (KeyGroupsOf.Kind(rule.Kind) & KeyGroups.Network) == 0;
        }
        return tied;
    }

    private static readonly KeyKind DomainKind = KeyKind.Of(LinkAttribute.Domain);

    /// <summary>
    /// The fold of precedence. An outright review is a floor: it raises an allow, it never softens a deny.
    /// </summary>
    /// <param name="ownScore">The score without any link.</param>
    /// <param name="networkDenies">Whether the safeguard lets links alone deny.</param>
    public Verdict Fold(Verdict? outright, double score, double ownScore, bool networkDenies)
    {
        if (outright is Verdict.Allow or Verdict.Deny) return outright.Value;
        var convincing = ownScore >= ReviewFrom || networkDenies;
        var byScore = score >= DenyFrom && convincing ? Verdict.Deny
            : score >= ReviewFrom ? Verdict.Review
            : Verdict.Allow;
        return outright == Verdict.Review && byScore == Verdict.Allow ? Verdict.Review : byScore;
    }

    /// <summary>Among outright rules allow wins (it is someone's explicit exemption), then deny, then review.</summary>
    public static Verdict? Stronger(Verdict? one, Verdict? two) =>
        one == Verdict.Allow || two == Verdict.Allow ? Verdict.Allow
        : one == Verdict.Deny || two == Verdict.Deny ? Verdict.Deny
        : one ?? two;

    private static List<Reason> Strongest(List<Reason> reasons)
    {
        reasons.Sort(static (one, two) =>
        {
            var outright = (two.Contribution == 0).CompareTo(one.Contribution == 0);
            if (outright != 0) return outright;
            var strength = Math.Abs(two.Contribution).CompareTo(Math.Abs(one.Contribution));
            return strength != 0 ? strength : string.CompareOrdinal(one.Code, two.Code);
        });
        return reasons;
    }

    private static List<string> Distinct(List<string> words) => words.Count < 2 ? words : [.. words.Distinct()];
}
