using System.Globalization;
using System.Text.RegularExpressions;
using SignupGuard.Cel;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace SignupGuard.Core.Policies;

/// <summary>What kind of thing is wrong.</summary>
public enum PolicyIssueKind
{
    /// <summary>A value is out of its bounds or missing.</summary>
    Value,

    /// <summary>An expression does not compile.</summary>
    Expression,

    /// <summary>The document can't be read at all.</summary>
    Document,
}

/// <summary>One thing wrong with a policy document.</summary>
/// <param name="Path">Where: "rules[3].when"; "line 6" of a document that can't be read; empty for the document as a whole.</param>
/// <param name="Message">One sentence.</param>
public sealed record PolicyIssue(string Path, string Message)
{
    public PolicyIssueKind Kind { get; init; }

    /// <summary>Id of the rule it is about; null where it is about none, or about one without id.</summary>
    public string? RuleId { get; init; }

    /// <summary>Place in the expression (or, of a document that can't be read, in the document), from 1; 0 where there is none.</summary>
    public int Line { get; init; }

    /// <summary>Like <see cref="Line"/>.</summary>
    public int Column { get; init; }

    /// <summary>What was probably meant; null where nothing is near.</summary>
    public string? Suggestion { get; init; }

    /// <summary>Place in the expression, message and suggestion, without the path.</summary>
    public string Description => $"{(Kind == PolicyIssueKind.Expression ? $"{Line}:{Column}: " : "")}{Message}{(Suggestion is null ? "" : $"; did you mean `{Suggestion}`?")}";

    public override string ToString() => Path.Length == 0 ? Description : $"{Path}: {Description}";

    internal static PolicyIssue Of(string path, CelIssue issue) => new(path, issue.Message)
    {
        Kind = PolicyIssueKind.Expression,
        Line = issue.Line,
        Column = issue.Column,
        Suggestion = issue.Suggestion,
    };
}

/// <summary>A policy, or every reason why the document is none.</summary>
public sealed record PolicyReading(Policy? Policy, IReadOnlyList<PolicyIssue> Issues);

/// <summary>Reads and validates a policy's YAML. Collects every issue; never throws for any document.</summary>
public static partial class PolicyReader
{
    public const int DocumentCharactersMax = 1_000_000;
    public const int NameCharactersMax = 128;
    public const int RulesMax = 2_000;
    public const int LinkageRulesMax = 64;

    private const int OwnerCharactersMax = 128;

    private static readonly string[] ExpiryFormats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    private static readonly IDeserializer Yaml = new DeserializerBuilder()
        .WithNamingConvention(UnderscoredNamingConvention.Instance)
        .WithDuplicateKeyChecking()
        .Build();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,63}$")]
    private static partial Regex IdPattern { get; }

    [GeneratedRegex("^[A-Z][A-Z0-9_]{0,63}$")]
    private static partial Regex CodePattern { get; }

    public static PolicyReading Read(string yaml, long version) =>
        Parse(yaml, out var problem) is { } document ? Validate(document, version) : new PolicyReading(null, [problem!]);

    /// <summary>The document as written, without checking what it says.</summary>
    /// <param name="problem">Why it can't be read; null when it can.</param>
    public static PolicyDocument? Parse(string yaml, out PolicyIssue? problem)
    {
        problem = null;
        if (yaml.Length > DocumentCharactersMax)
        {
            problem = Unreadable($"The document is longer than {DocumentCharactersMax} characters.");
            return null;
        }
        if (PolicyForm.Check(yaml) is var (line, message))
        {
            problem = Unreadable(message, line);
            return null;
        }
        PolicyDocument? document = null;
        try
        {
            document = Yaml.Deserialize<PolicyDocument?>(yaml);
            if (document is null) problem = Unreadable("The document is empty.");
        }
        catch (YamlException failure)
        {
            problem = Unreadable(failure.InnerException?.Message ?? failure.Message, failure.Start.Line) with { Column = (int)failure.Start.Column };
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or InvalidOperationException or InvalidCastException or OverflowException)
        {
            // Some malformed documents (tags that are no addresses) fail inside the YAML library without its own kind of exception.
            problem = Unreadable(failure.Message);
        }
        return document;
    }

    /// <param name="line">0 where there is none.</param>
    private static PolicyIssue Unreadable(string message, long line = 0) => new(line > 0 ? $"line {line}" : "", message)
    {
        Kind = PolicyIssueKind.Document,
        Line = (int)line,
    };

    private static PolicyReading Validate(PolicyDocument document, long version)
    {
        var issues = new List<PolicyIssue>();
        void Require(bool holds, string path, string message)
        {
            if (!holds) issues.Add(new PolicyIssue(path, message));
        }

        // "rules:" without a value reads as null.
        if (document.Thresholds is null || document.Linkage is not { Keys: not null, Soft: not null, Promotion: not null } || document.Rules is null
            || document.Safeguard is null || document.Calibration is null || document.Linkage.Keys.Contains(null!) || document.Rules.Contains(null!)
            || document.Rules.Any(rule => rule.Labels is null || rule.Obligations is null))
            return new PolicyReading(null, [Unreadable("A section or an entry of it is empty.")]);
        Require(!string.IsNullOrWhiteSpace(document.Name) && document.Name.Length <= NameCharactersMax, "name", $"A policy has a name, at most {NameCharactersMax} characters.");
        Require(document.BaseRate is > 0 and < 1, "base_rate", "The share of fraud expected among signups lies between 0 and 1.");
        Require(document.Thresholds.Review is > 0 and < 100, "thresholds.review", "A score between 0 and 100.");
        Require(document.Thresholds.Deny is > 0 and <= 100 && document.Thresholds.Deny > document.Thresholds.Review, "thresholds.deny", "Above the review threshold, at most 100.");
        var failure = ParseVerdict(document.FailureVerdict);
        Require(failure is not null, "failure_verdict", "allow, review or deny.");
        Require(document.Linkage.Keys.Count <= LinkageRulesMax, "linkage.keys", $"At most {LinkageRulesMax} linkage rules.");
        var calibration = Calibration(document.Calibration, issues);
        Require(document.Safeguard.ClusterSize is >= 2 and <= 1_000_000, "safeguard.cluster_size", "2 to 1,000,000 accounts.");
        Require(document.Safeguard.OrganisationShare is >= 0 and <= 1, "safeguard.organisation_share", "0 to 1.");
        Require(document.Safeguard.KeyGroups is >= 1 and <= 4, "safeguard.key_groups", "1 to 4 groups.");
        foreach (var (path, value, min, max) in SoftBounds(document.Linkage.Soft, document.Linkage.Promotion))
            Require(value >= min && value <= max, $"linkage.{path}", $"{min} to {max}.");
        Require(document.Rules.Count <= RulesMax, "rules", $"At most {RulesMax} rules.");
        if (issues.Count > 0) return new PolicyReading(null, issues);

        var linkage = Linkage(document.Linkage.Keys, issues);
        if (issues.Count > 0) return new PolicyReading(null, issues);

        var environment = FactsEnvironment.For(linkage);
        var anomalous = Condition(document.Linkage.Anomalous, "linkage.anomalous", environment, issues);
        var explained = Condition(document.Linkage.Explained, "linkage.explained", environment, issues);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var rules = document.Rules.Select((rule, index) => Rule(rule, $"rules[{index}]", environment, ids, issues)).OfType<DecisionRule>().ToList();
        if (issues.Count > 0) return new PolicyReading(null, issues);
        return new PolicyReading(
            new Policy
            {
                Version = version,
                Name = document.Name!,
                BaseLogOdds = Math.Log(document.BaseRate / (1 - document.BaseRate)),
                ReviewFrom = document.Thresholds.Review,
                DenyFrom = document.Thresholds.Deny,
                FailureVerdict = failure!.Value,
                Calibration = calibration!,
                Safeguard = new DenySafeguard(document.Safeguard.ClusterSize, document.Safeguard.KeyGroups, document.Safeguard.OrganisationShare, document.Safeguard.NetworkKeysAlone),
                Linkage = new LinkagePolicy { Rules = linkage, Soft = document.Linkage.Soft, Promotion = document.Linkage.Promotion },
                Anomalous = anomalous,
                Explained = explained,
                Rules = rules,
            },
            []);
    }

    /// <summary>Null, with its issues, when the section is neither two parameters nor a curve.</summary>
    private static Calibration? Calibration(CalibrationDocument document, List<PolicyIssue> issues)
    {
        var before = issues.Count;
        if (document.Points is not { } written)
        {
            var (slope, intercept) = (document.Slope ?? 1, document.Intercept ?? 0);
            if (slope is not (> 0 and <= 100)) issues.Add(new PolicyIssue("calibration.slope", "Above 0, at most 100."));
            if (intercept is not (>= -100 and <= 100)) issues.Add(new PolicyIssue("calibration.intercept", "−100 to 100."));
            return issues.Count > before ? null : new Calibration(slope, intercept);
        }
        if (document.Slope is not null || document.Intercept is not null)
            issues.Add(new PolicyIssue("calibration", "Either points, or slope and intercept."));
        if (written.Count is < 2 or > Policies.Calibration.PointsMax)
            issues.Add(new PolicyIssue("calibration.points", $"2 to {Policies.Calibration.PointsMax} points."));
        for (var i = 0; i < written.Count && issues.Count == before; i++)
        {
            if (written[i] is not [>= -100 and <= 100, > 0 and < 100])
                issues.Add(new PolicyIssue($"calibration.points[{i}]", "Log-odds of −100 to 100 and a percentage above 0 and below 100."));
            else if (i > 0 && (written[i][0] <= written[i - 1][0] || written[i][1] <= written[i - 1][1]))
                issues.Add(new PolicyIssue($"calibration.points[{i}]", "Both numbers are above those of the point before."));
        }
        return issues.Count > before ? null : new Calibration([.. written.Select(point => new CalibrationPoint(point[0], point[1]))]);
    }

    private static IEnumerable<(string Path, double Value, double Min, double Max)> SoftBounds(SoftEvidence soft, Promotion promotion) =>
    [
        ("soft.expected_min", soft.ExpectedMin, 0.01, 10),
        ("soft.count_min", soft.CountMin, 0, 100),
        ("soft.ratio_min", soft.RatioMin, 1, 1_000),
        ("soft.surprise_max", soft.SurpriseMax, 0, 100),
        ("soft.gate_floor", soft.GateFloor, 0, 1),
        ("soft.gate_from", soft.GateFrom, 0, 1),
        ("soft.gate_width", soft.GateWidth, 0.01, 1),
        ("soft.best", soft.Best, 1, 32),
        ("soft.rank_factor", soft.RankFactor, 0, 1),
        ("soft.weight", soft.Weight, 0, 10),
        ("soft.organisation_accounts", soft.OrganisationAccounts, 0, 100),
        ("promotion.surprise", promotion.Surprise, 0, 100),
        ("promotion.gate", promotion.Gate, 0, 1),
        ("promotion.bad", promotion.Bad, 1, 1_000),
        ("promotion.bad_share", promotion.BadShare, 0, 1),
    ];

    private static CelProgram<Facts>? Condition(string? source, string path, CelEnvironment<Facts> environment, List<PolicyIssue> issues)
    {
        if (source is null) return null;
        var compiled = environment.Compile(source, CelType.Bool);
        issues.AddRange(compiled.Issues.Select(issue => PolicyIssue.Of(path, issue)));
        return compiled.Program;
    }

    private static List<LinkageRule> Linkage(IList<LinkageDocument> documents, List<PolicyIssue> issues)
    {
        var rules = documents.Select((rule, index) => Linkage(rule, index, issues)).OfType<LinkageRule>().ToList();
        foreach (var twice in rules.GroupBy(rule => rule.Kind).Where(group => group.Count() > 1))
            issues.Add(new PolicyIssue("linkage.keys", $"The key {twice.Key} has more than one rule."));
        if (issues.Count > 0) return rules;

        // What chance expects of a composite is read off its parts' counts, which decay alike.
        int Find(KeyKind kind, double halfLifeDays) => rules.FindIndex(rule => rule.Kind == kind && rule.Given is null && rule.Class == LinkClass.Soft && rule.HalfLifeDays == halfLifeDays);
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.Kind.Count == 1) continue;
            var parts = new int[rule.Kind.Count];
            for (var part = 0; part < parts.Length; part++)
            {
                // Inside a stratum the part's own count there is best; a part that lies in one stratum anyway (a network in its country) needs none.
                parts[part] = rule.Given is { } given ? Find(KeyKind.Of(rule.Kind[part], given), rule.HalfLifeDays) : -1;
                if (parts[part] < 0) parts[part] = Find(KeyKind.Of(rule.Kind[part]), rule.HalfLifeDays);
                if (parts[part] < 0)
                    issues.Add(new PolicyIssue($"linkage.keys[{i}].key", $"A composite needs a soft rule for its part {KeyKind.Name(rule.Kind[part])} with the same half-life."));
            }
            var total = rule.Given is { } within ? Find(KeyKind.Of(within), rule.HalfLifeDays) : (int?)null;
            if (total < 0) issues.Add(new PolicyIssue($"linkage.keys[{i}].given", $"It needs a soft rule for {KeyKind.Name(rule.Given!.Value)} with the same half-life."));
            rules[i] = rule with { Parts = parts, Total = total };
        }
        return rules;
    }

    private static LinkageRule? Linkage(LinkageDocument rule, int index, List<PolicyIssue> issues)
    {
        var path = $"linkage.keys[{index}]";
        var before = issues.Count;
        if (!KeyKind.TryParse(rule.Key ?? "", out var kind))
            issues.Add(new PolicyIssue($"{path}.key", $"One to {KeyKind.AttributesMax} of {string.Join(", ", Enum.GetValues<LinkAttribute>().Select(KeyKind.Name))}, joined by '+'."));
        if (rule.Class is not ("hard" or "soft")) issues.Add(new PolicyIssue($"{path}.class", "hard or soft."));
        if (rule.Class == "hard" && kind.Count > 1) issues.Add(new PolicyIssue($"{path}.class", "A composite is soft."));
        if (rule.Weight is < 0 or > 10 || !double.IsFinite(rule.Weight)) issues.Add(new PolicyIssue($"{path}.weight", "0 to 10."));
        if (rule.Tolerance is < 0 or > 1_000 || !double.IsFinite(rule.Tolerance)) issues.Add(new PolicyIssue($"{path}.tolerance", "0 to 1,000 accounts."));
        if (rule.HalfLifeDays is not (>= 0.01 and <= 3_650)) issues.Add(new PolicyIssue($"{path}.half_life_days", "0.01 to 3,650 days."));
        if (rule.Burst && (rule.Class != "soft" || kind.Count > 1)) issues.Add(new PolicyIssue($"{path}.burst", "Only single soft keys have bursts."));
        var spread = default(KeyKind);
        if (rule.Spread is { } name && (!KeyKind.TryParse(name, out spread) || spread.Count != 1)) issues.Add(new PolicyIssue($"{path}.spread", "One attribute."));
        var given = default(KeyKind);
        if (rule.Given is { } stratum && (kind.Count is 1 or KeyKind.AttributesMax || !KeyKind.TryParse(stratum, out given) || given.Count != 1))
            issues.Add(new PolicyIssue($"{path}.given", "One attribute, for a composite of two."));
        var mode = ParseMode(rule.Mode, $"{path}.mode", issues);
        return issues.Count > before
            ? null
            : new LinkageRule
            {
                Index = index,
                Kind = kind,
                Class = rule.Class == "hard" ? LinkClass.Hard : LinkClass.Soft,
                Weight = rule.Weight,
                Tolerance = rule.Tolerance,
                HalfLifeDays = rule.HalfLifeDays,
                Burst = rule.Burst,
                Given = rule.Given is null ? null : given[0],
                Spread = rule.Spread is null ? null : spread[0],
                Promotes = rule.Promotes,
                Mode = mode,
            };
    }

    private static DecisionRule? Rule(RuleDocument rule, string path, CelEnvironment<Facts> environment, HashSet<string> ids, List<PolicyIssue> issues)
    {
        var before = issues.Count;
        if (rule.Id is null || !IdPattern.IsMatch(rule.Id)) issues.Add(new PolicyIssue($"{path}.id", "Lower-case letters, digits and _, at most 64."));
        else if (!ids.Add(rule.Id)) issues.Add(new PolicyIssue($"{path}.id", $"There is another rule `{rule.Id}`."));
        if (rule.Code is null || !CodePattern.IsMatch(rule.Code)) issues.Add(new PolicyIssue($"{path}.code", "Upper-case letters, digits and _, at most 64."));
        if (string.IsNullOrWhiteSpace(rule.Text) || rule.Text.Length > 256) issues.Add(new PolicyIssue($"{path}.text", "One sentence for a reviewer, at most 256 characters."));
        if (!PolicyForm.AreWords(rule.Labels)) issues.Add(new PolicyIssue($"{path}.labels", PolicyForm.WordsForm));
        if (!PolicyForm.AreWords(rule.Obligations)) issues.Add(new PolicyIssue($"{path}.obligations", PolicyForm.WordsForm));
        var outright = rule.Verdict is null ? null : ParseVerdict(rule.Verdict);
        if (rule.Verdict is not null && outright is null) issues.Add(new PolicyIssue($"{path}.verdict", "allow, review or deny."));
        if ((rule.Points is null) == (rule.Verdict is null)) issues.Add(new PolicyIssue(path, "A rule has either points or a verdict."));
        if (rule.Points is { } points && points is not (>= -20 and <= 20)) issues.Add(new PolicyIssue($"{path}.points", "−20 to 20."));
        var compiled = environment.Compile(rule.When ?? "", CelType.Bool);
        issues.AddRange(compiled.Issues.Select(issue => PolicyIssue.Of($"{path}.when", issue)));
        var mode = ParseMode(rule.Mode, $"{path}.mode", issues);
        if (rule.Owner is { Length: 0 or > OwnerCharactersMax }) issues.Add(new PolicyIssue($"{path}.owner", $"Who answers for the rule, at most {OwnerCharactersMax} characters."));
        DateTimeOffset? expires = null;
        if (rule.Expires is not null && (expires = ParseExpiry(rule.Expires)) is null)
            issues.Add(new PolicyIssue($"{path}.expires", "A day (2026-12-31, begins in UTC) or a time with its offset (2026-12-31T18:00:00Z)."));
        if (rule.Id is { } id)
        {
            for (var i = before; i < issues.Count; i++) issues[i] = issues[i] with { RuleId = id };
        }
        return issues.Count > before
            ? null
            : new DecisionRule
            {
                Id = rule.Id!,
                When = compiled.Program!,
                Points = rule.Points ?? 0,
                Linkage = compiled.Program!.Reads.Any(field => field.StartsWith("link.", StringComparison.Ordinal) || field.StartsWith("cluster.", StringComparison.Ordinal)),
                Outright = outright,
                Code = rule.Code!,
                Text = rule.Text!,
                Labels = rule.Labels,
                Obligations = rule.Obligations,
                Mode = mode,
                Owner = rule.Owner,
                Expires = expires,
            };
    }

    private static DateTimeOffset? ParseExpiry(string text) =>
        DateTimeOffset.TryParseExact(text, ExpiryFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires) ? expires.ToUniversalTime() : null;

    private static RuleMode ParseMode(string? mode, string path, List<PolicyIssue> issues)
    {
        if (mode is not (null or "live" or "shadow" or "off")) issues.Add(new PolicyIssue(path, "live, shadow or off."));
        return mode switch { "shadow" => RuleMode.Shadow, "off" => RuleMode.Off, _ => RuleMode.Live };
    }

    private static Verdict? ParseVerdict(string? verdict) => verdict switch
    {
        "allow" => Verdict.Allow,
        "review" => Verdict.Review,
        "deny" => Verdict.Deny,
        _ => null,
    };
}

/// <summary>The YAML of a policy, as written.</summary>
public sealed class PolicyDocument
{
    public string? Name { get; set; }

    /// <summary>Share of fraud among all signups, before evidence; 0 to 1.</summary>
    public double BaseRate { get; set; }

    public ThresholdsDocument Thresholds { get; set; } = new();

    public string? FailureVerdict { get; set; }

    public CalibrationDocument Calibration { get; set; } = new();

    public SafeguardDocument Safeguard { get; set; } = new();

    public LinkageSectionDocument Linkage { get; set; } = new();

    public IList<RuleDocument> Rules { get; set; } = [];
}

public sealed class ThresholdsDocument
{
    public double Review { get; set; }

    public double Deny { get; set; }
}

public sealed class CalibrationDocument
{
    public double? Slope { get; set; }

    public double? Intercept { get; set; }

    /// <summary>Pairs of log-odds and percent.</summary>
    public IList<IList<double>>? Points { get; set; }
}

public sealed class SafeguardDocument
{
    public long ClusterSize { get; set; } = 10;

    public int KeyGroups { get; set; } = 2;

    public double OrganisationShare { get; set; } = 0.6;

    public bool NetworkKeysAlone { get; set; }
}

public sealed class LinkageSectionDocument
{
    public string? Anomalous { get; set; }

    public string? Explained { get; set; }

    public SoftEvidence Soft { get; set; } = new();

    public Promotion Promotion { get; set; } = new();

    public IList<LinkageDocument> Keys { get; set; } = [];
}

public sealed class LinkageDocument
{
    public string? Key { get; set; }

    public string? Class { get; set; }

    public double Weight { get; set; } = 1;

    public bool Burst { get; set; }

    public string? Given { get; set; }

    public string? Spread { get; set; }

    public bool Promotes { get; set; } = true;

    public double Tolerance { get; set; }

    public double HalfLifeDays { get; set; }

    public string? Mode { get; set; }
}

public sealed class RuleDocument
{
    public string? Id { get; set; }

    public string? When { get; set; }

    public double? Points { get; set; }

    public string? Verdict { get; set; }

    public string? Code { get; set; }

    public string? Text { get; set; }

    public List<string> Labels { get; set; } = [];

    public List<string> Obligations { get; set; } = [];

    public string? Mode { get; set; }

    /// <summary>Who answers for the rule.</summary>
    public string? Owner { get; set; }

    /// <summary>From this day or time on the rule does not fire.</summary>
    public string? Expires { get; set; }
}
