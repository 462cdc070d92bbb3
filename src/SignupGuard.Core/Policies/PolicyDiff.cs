using System.Globalization;

namespace SignupGuard.Core.Policies;

public enum DifferenceKind
{
    Added,
    Removed,
    Changed,
}

/// <summary>One field that is another; null where it is not set.</summary>
public sealed record FieldDifference(string Field, string? Old, string? New);

/// <summary>One part of a policy that is another.</summary>
/// <param name="Section">"thresholds", "linkage.keys", "rules"; empty for the top level.</param>
/// <param name="Id">The rule's id or the linkage rule's key; empty for a section that is no list.</param>
/// <param name="Fields">Of a changed part, what is another; of one added or removed, all it has.</param>
public sealed record PolicyDifference(string Section, string Id, DifferenceKind Kind, IReadOnlyList<FieldDifference> Fields);

/// <summary>
/// What one document changes in another: by what it says, not how it is written. Comments, spelling and the order of rules, which decides
/// nothing, are no difference; a value left out is its default.
/// </summary>
public static class PolicyDiff
{
    private const string LinkageSection = "linkage";
    private const string KeysSection = "linkage.keys";
    private const string ModeField = "mode";

    public static IReadOnlyList<PolicyDifference> Between(PolicyDocument from, PolicyDocument to)
    {
        var differences = new List<PolicyDifference>();
        foreach (var ((section, old), (_, now)) in Sections(from).Zip(Sections(to))) Compare(differences, section, "", old, now);
        CompareLists(differences, KeysSection, from.Linkage?.Keys, to.Linkage?.Keys, key => key.Key, Fields);
        CompareLists(differences, "rules", from.Rules, to.Rules, rule => rule.Id, Fields);
        return differences;
    }

    /// <summary>
    /// What keeps <paramref name="shadow"/> from judging live traffic beside <paramref name="active"/>: it judges by the links that the active version
    /// counted, so their linkage must be one. Only modes may differ between live and shadow, for both are counted. Empty: nothing.
    /// </summary>
    public static IReadOnlyList<PolicyDifference> BeyondShadow(PolicyDocument active, PolicyDocument shadow) =>
        [.. Between(active, shadow).Where(difference => difference.Section.StartsWith(LinkageSection, StringComparison.Ordinal) && !IsModeAlone(difference))];

    private static bool IsModeAlone(PolicyDifference difference) =>
        difference is { Section: KeysSection, Kind: DifferenceKind.Changed, Fields: [{ Field: ModeField, Old: not "off", New: not "off" }] };

    private static void CompareLists<T>(
        List<PolicyDifference> differences, string section, IList<T>? from, IList<T>? to, Func<T, string?> id, Func<T, IEnumerable<(string Field, string? Value)>> fields)
    {
        var old = ById(from, id);
        var now = ById(to, id);
        foreach (var (key, value) in now)
        {
            if (old.TryGetValue(key, out var before)) Compare(differences, section, key, fields(before), fields(value));
            else differences.Add(new PolicyDifference(section, key, DifferenceKind.Added, [.. fields(value).Where(field => field.Value is not null).Select(field => new FieldDifference(field.Field, null, field.Value))]));
        }
        foreach (var (key, value) in old)
        {
            if (!now.ContainsKey(key))
                differences.Add(new PolicyDifference(section, key, DifferenceKind.Removed, [.. fields(value).Where(field => field.Value is not null).Select(field => new FieldDifference(field.Field, field.Value, null))]));
        }
    }

    /// <summary>In the document's order. An id that is there twice does not validate, but drafts are compared too.</summary>
    private static OrderedDictionary<string, T> ById<T>(IList<T>? entries, Func<T, string?> id)
    {
        var found = new OrderedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var entry in entries ?? [])
        {
            if (entry is null) continue;
            var name = id(entry) ?? "";
            for (var again = 2; !found.TryAdd(name, entry); again++) name = string.Create(CultureInfo.InvariantCulture, $"{id(entry)} ({again})");
        }
        return found;
    }

    private static void Compare(
        List<PolicyDifference> differences, string section, string id, IEnumerable<(string Field, string? Value)> old, IEnumerable<(string Field, string? Value)> now)
    {
        var changed = old.Zip(now).Where(pair => pair.First.Value != pair.Second.Value).Select(pair => new FieldDifference(pair.First.Field, pair.First.Value, pair.Second.Value)).ToList();
        if (changed.Count > 0) differences.Add(new PolicyDifference(section, id, DifferenceKind.Changed, changed));
    }

    private static IEnumerable<(string Section, IEnumerable<(string Field, string? Value)> Fields)> Sections(PolicyDocument document)
    {
        var thresholds = document.Thresholds;
        var calibration = document.Calibration;
        var safeguard = document.Safeguard;
        var linkage = document.Linkage;
        var soft = linkage?.Soft;
        var promotion = linkage?.Promotion;
        yield return ("", [("name", document.Name), ("base_rate", Text(document.BaseRate)), ("failure_verdict", document.FailureVerdict)]);
        yield return ("thresholds", [("review", Text(thresholds?.Review)), ("deny", Text(thresholds?.Deny))]);
        yield return ("calibration", [("slope", Text(calibration?.Slope)), ("intercept", Text(calibration?.Intercept))]);
        yield return (
            "safeguard",
            [
                ("cluster_size", Text(safeguard?.ClusterSize)), ("key_groups", Text(safeguard?.KeyGroups)), ("organisation_share", Text(safeguard?.OrganisationShare)),
                ("network_keys_alone", safeguard is null ? null : Text(safeguard.NetworkKeysAlone)),
            ]);
        yield return (LinkageSection, [("anomalous", linkage?.Anomalous), ("explained", linkage?.Explained)]);
        yield return (
            "linkage.soft",
            [
                ("expected_min", Text(soft?.ExpectedMin)), ("count_min", Text(soft?.CountMin)), ("ratio_min", Text(soft?.RatioMin)), ("surprise_max", Text(soft?.SurpriseMax)),
                ("gate_floor", Text(soft?.GateFloor)), ("gate_from", Text(soft?.GateFrom)), ("gate_width", Text(soft?.GateWidth)), ("best", Text(soft?.Best)),
                ("rank_factor", Text(soft?.RankFactor)), ("weight", Text(soft?.Weight)), ("organisation_accounts", Text(soft?.OrganisationAccounts)),
            ]);
        yield return (
            "linkage.promotion",
            [("surprise", Text(promotion?.Surprise)), ("gate", Text(promotion?.Gate)), ("bad", Text(promotion?.Bad)), ("bad_share", Text(promotion?.BadShare))]);
    }

    private static IEnumerable<(string Field, string? Value)> Fields(LinkageDocument key) =>
    [
        ("class", key.Class), ("weight", Text(key.Weight)), ("burst", Text(key.Burst)), ("given", key.Given), ("spread", key.Spread), ("promotes", Text(key.Promotes)),
        ("tolerance", Text(key.Tolerance)), ("half_life_days", Text(key.HalfLifeDays)), (ModeField, key.Mode ?? "live"),
    ];

    private static IEnumerable<(string Field, string? Value)> Fields(RuleDocument rule) =>
    [
        ("when", rule.When), ("points", Text(rule.Points)), ("verdict", rule.Verdict), ("code", rule.Code), ("text", rule.Text), ("labels", Text(rule.Labels)),
        ("obligations", Text(rule.Obligations)), (ModeField, rule.Mode ?? "live"), ("owner", rule.Owner), ("expires", rule.Expires),
    ];

    private static string? Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);

    private static string? Text(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";

    private static string? Text(List<string>? values) => values is null or [] ? null : $"[{string.Join(", ", values)}]";
}
