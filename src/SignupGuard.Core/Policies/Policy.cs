using SignupGuard.Cel;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Policies;

/// <summary>One decision rule: when it holds, what it adds or decides outright.</summary>
public sealed record DecisionRule
{
    /// <summary>Stable id, snake_case, unique in the policy.</summary>
    public required string Id { get; init; }

    public required CelProgram<Facts> When { get; init; }

    /// <summary>Log-odds added when it holds, −20 to 20; 0 for outright rules.</summary>
    public double Points { get; init; }

    /// <summary>Set for outright rules.</summary>
    public Verdict? Outright { get; init; }

    public required string Code { get; init; }

    public required string Text { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];

    public IReadOnlyList<string> Obligations { get; init; } = [];

    public RuleMode Mode { get; init; }
}

/// <summary>A validated, compiled policy. Immutable; swapped as a whole.</summary>
public sealed class Policy
{
    /// <summary>Linkage contributions together never exceed this much log-odds: a hundred shared keys are not a hundred proofs.</summary>
    public const double LinkageLogOddsMax = 12;

    public required long Version { get; init; }

    public required string Name { get; init; }

    /// <summary>Log-odds of fraud before any evidence.</summary>
    public required double BaseLogOdds { get; init; }

    /// <summary>Score (percent) from which a signup is reviewed.</summary>
    public required double ReviewFrom { get; init; }

    /// <summary>Score (percent) from which a signup is denied; above <see cref="ReviewFrom"/>.</summary>
    public required double DenyFrom { get; init; }

    /// <summary>The verdict when the link database can't be reached.</summary>
    public required Verdict FailureVerdict { get; init; }

    public required IReadOnlyList<LinkageRule> Linkage { get; init; }

    public required IReadOnlyList<DecisionRule> Rules { get; init; }

    /// <summary>Percent, from log-odds: the logistic function.</summary>
    public static double Score(double logOdds) => 100 / (1 + Math.Exp(-logOdds));

    /// <summary>
    /// Step 7: contributions, score, and the one fold of precedence. Outright allow, then outright deny, then outright review, then the
    /// score's thresholds; and one safeguard over all of them but outright rules: links alone never deny, they review.
    /// </summary>
    public Judgement Judge(Facts facts)
    {
        var reasons = new List<Reason>();
        var labels = new List<string>();
        var obligations = new List<string>();
        var undecided = new List<string>();
        var own = BaseLogOdds;
        var links = 0d;
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
            own += rule.Points;
            outright = Stronger(outright, rule.Outright);
            reasons.Add(new Reason(rule.Code, rule.Text, rule.Points, []));
            labels.AddRange(rule.Labels);
            obligations.AddRange(rule.Obligations);
        }

        foreach (var link in facts.Links)
        {
            if (link.Evidence <= 0 || link.Rule.Mode != RuleMode.Live) continue;
            var evidence = Math.Min(link.Evidence, LinkageLogOddsMax - links);
            if (evidence <= 0) continue;
            links += evidence;
            reasons.Add(new Reason(
                $"{FactsEnvironment.FieldName(link.Kind).ToUpperInvariant()}_SHARED",
                $"{link.Accounts} accounts share this {link.Kind.ToString().Replace('_', ' ')}.",
                evidence,
                [new EvidenceStep(link.Kind, link.Key, link.Accounts, link.Evidence, link.ConfirmedBad, link.Samples)]));
        }

        var score = Score(own + links);
        return new Judgement
        {
            Verdict = Fold(outright, score, Score(own)),
            Score = score,
            Reasons = [.. reasons.OrderByDescending(reason => reason.Contribution == 0).ThenByDescending(reason => Math.Abs(reason.Contribution)).ThenBy(reason => reason.Code, StringComparer.Ordinal)],
            Labels = [.. labels.Distinct()],
            Obligations = [.. obligations.Distinct()],
            Undecided = undecided,
        };
    }

    /// <summary>
    /// The fold of precedence. An outright review is a floor: it raises an allow, it never softens a deny.
    /// </summary>
    /// <param name="ownScore">The score without any link: links alone never deny.</param>
    public Verdict Fold(Verdict? outright, double score, double ownScore)
    {
        if (outright is Verdict.Allow or Verdict.Deny) return outright.Value;
        var byScore = score >= DenyFrom && ownScore >= ReviewFrom ? Verdict.Deny
            : score >= ReviewFrom ? Verdict.Review
            : Verdict.Allow;
        return outright == Verdict.Review && byScore == Verdict.Allow ? Verdict.Review : byScore;
    }

    /// <summary>Among outright rules allow wins (it is someone's explicit exemption), then deny, then review.</summary>
    public static Verdict? Stronger(Verdict? one, Verdict? two) =>
        one == Verdict.Allow || two == Verdict.Allow ? Verdict.Allow
        : one == Verdict.Deny || two == Verdict.Deny ? Verdict.Deny
        : one ?? two;
}
