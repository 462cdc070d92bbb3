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
}

/// <summary>When linkage alone may deny: a safeguard over every score. Rules with an outright verdict stand above it.</summary>
/// <param name="ClusterSize">Accounts the network must have; 2 to 1,000,000.</param>
/// <param name="KeyGroups">Independent groups of keys that must hold it together; 1 to 4.</param>
/// <param name="OrganisationShare">
/// A network of which the accounts at the signup's own e-mail domain make up so much is an organisation, or a front that plays one: people decide. 0 to 1.
/// </param>
public sealed record DenySafeguard(long ClusterSize, int KeyGroups, double OrganisationShare);

/// <summary>Turns log-odds into a probability: p = σ(slope·x + intercept), fitted to labels (Platt 1999).</summary>
public sealed record Calibration(double Slope, double Intercept)
{
    public static readonly Calibration None = new(1, 0);

    /// <summary>Percent.</summary>
    public double Score(double logOdds) => 100 / (1 + Math.Exp(-((Slope * logOdds) + Intercept)));
}

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
        var reasons = new List<Reason>();
        var labels = new List<string>();
        var obligations = new List<string>();
        var undecided = new List<string>();
        var own = BaseLogOdds;
        var linked = 0d;
        Verdict? outright = null;

        foreach (var rule in Rules)
        {
            if (rule.Mode == RuleMode.Off) continue;
            var holds = rule.When.Evaluate(facts);
            if (holds.IsError)
            {
                // Missing or failed: the rule does not fire, and the decision says that it could not be decided.
                undecided.Add(rule.Id);
                continue;
            }
            if (!holds.IsTrue || rule.Mode == RuleMode.Shadow) continue;
            if (rule.Linkage) linked += rule.Points;
            else own += rule.Points;
            outright = Stronger(outright, rule.Outright);
            reasons.Add(new Reason(rule.Code, rule.Text, rule.Points, null) { RuleId = rule.Id });
            labels.AddRange(rule.Labels);
            obligations.AddRange(rule.Obligations);
        }
        outright = Stronger(outright, facts.Lists.Outright);
        Listed(facts.Lists, reasons, labels);
        linked += Linked(facts.Links, reasons);

        var score = Calibration.Score(own + linked);
        return new Judgement
        {
            Verdict = Fold(outright, score, Calibration.Score(own), Denies(facts)),
            LogOdds = own + linked,
            Score = score,
            Reasons = Strongest(reasons),
            Labels = Distinct(labels),
            Obligations = Distinct(obligations),
            Undecided = undecided,
        };
    }

    /// <summary>Why the lists: their names and the entries' reasons, never the values.</summary>
    private static void Listed(ListHits lists, List<Reason> reasons, List<string> labels)
    {
        foreach (var hit in lists.All)
        {
            var (code, what) = hit.Effect switch
            {
                ListEffect.Allow => (ListAllowed, "allow"),
                ListEffect.Deny => (ListDenied, "deny"),
                _ => ("LIST_WATCHED", "watch"),
            };
            if (hit.Effect == ListEffect.Watch) labels.Add($"watch:{hit.List}");
            reasons.Add(new Reason(code, hit.Reason is { } reason ? $"On the {what} list {hit.List}: {reason}" : $"On the {what} list {hit.List}.", 0, null));
        }
    }

    /// <summary>Log-odds of all keys: hard ones add up, of soft ones the best few count, each less than the one before.</summary>
    private double Linked(LinkSet links, List<Reason> reasons)
    {
        var sum = 0d;
        var soft = Linkage.Soft;
        var best = (stackalloc int[soft.Best]);
        var found = 0;
        foreach (var rule in Linkage.Rules)
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
            sum += Add(Linkage.Rules[index], links[index], Math.Min(links[index].Evidence * factor, LinkageLogOddsMax - sum), reasons);
            factor *= soft.RankFactor;
        }
        return sum;
    }

    private static double Add(LinkageRule rule, in Link link, double evidence, List<Reason> reasons)
    {
        if (evidence <= 0) return 0;
        var code = FactsEnvironment.FieldName(rule.Kind).ToUpperInvariant();
        var name = rule.Kind.ToString().Replace('_', ' ').Replace("+", " and ", StringComparison.Ordinal);
        reasons.Add(new Reason(
            link.IsBurst ? $"{code}_BURST" : $"{code}_SHARED",
            link.IsBurst ? $"A sudden run of accounts on one {name}." : $"{link.Accounts} accounts share this {name}.",
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
        foreach (var rule in Linkage.Rules)
        {
            if (rule.Kind == DomainKind && links[rule.Index] is { Present: true } domain) return domain.Accounts < Safeguard.OrganisationShare * cluster.Size;
        }
        return true;
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
