using SignupGuard.Cel;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Reviews;

/// <summary>The fields of filters: those of rules, and what became of a signup. The one place that says which a database may answer.</summary>
public static class FilterFields
{
    private static readonly string[] Verdicts = ["allow", "review", "deny"];

    /// <summary>Fields that a store keeps as they are, each with its type: what <see cref="IndexCondition"/> may ask.</summary>
    public static IReadOnlyDictionary<string, CelType> Indexable { get; } = new Dictionary<string, CelType>(StringComparer.Ordinal)
    {
        ["signup.id"] = CelType.String,
        ["signup.recorded_at"] = CelType.Timestamp,
        ["decision.verdict"] = CelType.String,
        ["decision.score"] = CelType.Double,
        ["decision.reasons"] = CelType.List(CelType.String),
        ["decision.labels"] = CelType.List(CelType.String),
        ["cluster.id"] = CelType.Int,
        ["case.state"] = CelType.String,
        ["case.opened_at"] = CelType.Timestamp,
        ["case.priority"] = CelType.Int,
        ["case.signups"] = CelType.Int,
        ["case.appealed"] = CelType.Bool,
        ["case.resolution"] = CelType.String,
        ["case.resolved_by"] = CelType.String,
        ["case.resolved_at"] = CelType.Timestamp,
    };

    /// <param name="linkage">The rules in use: <c>link.KIND.*</c> are of these.</param>
    public static CelEnvironment<ReviewRow> For(IReadOnlyList<LinkageRule> linkage) =>
        CelEnvironment<ReviewRow>.Create()
            .Include(FactsEnvironment.For(linkage), row => row.Facts)
            .Field("signup.id", CelType.String, row => CelValue.From(row.SignupId), "The caller's id of it.")
            .Field("signup.recorded_at", CelType.Timestamp, row => CelValue.From(row.RecordedAt), "When it was recorded.")
            .Field("signup.label", CelType.String, row => CelValue.From(row.Label, "signup.label"), "What it turned out to be: bad, good; missing while unknown.")
            .Field("decision.verdict", CelType.String, row => CelValue.From(Verdicts[(int)row.Verdict - 1]), "In force: allow, review, deny.")
            .Field("decision.score", CelType.Double, row => CelValue.From(row.Score), "0 to 100.")
            .Field("decision.reasons", CelType.List(CelType.String), row => Texts(row.ReasonCodes), "Reason codes: 'DEVICE_SHARED' in decision.reasons.")
            .Field("decision.labels", CelType.List(CelType.String), row => Texts(row.Labels), "Labels that rules set.")
            .Field("decision.policy_version", CelType.Int, row => CelValue.From(row.PolicyVersion, "decision.policy_version"), "Version of the policy that decided.")
            .Field("decision.at", CelType.Timestamp, row => Time(row.DecidedAt, "decision.at"), "When it was decided.")
            .Field("cluster.id", CelType.Int, row => CelValue.From(row.ClusterId, "cluster.id"), "The network it is in now.")
            .Field("case.state", CelType.String, row => CelValue.From(row.Case?.State, "case.state"), "open, escalated, resolved, denied.")
            .Field("case.opened_at", CelType.Timestamp, row => Time(row.Case?.OpenedAt, "case.opened_at"), "When the case was opened.")
            .Field("case.priority", CelType.Int, row => CelValue.From(row.Case?.Priority, "case.priority"), "0 to 100.")
            .Field("case.signups", CelType.Int, row => CelValue.From(row.Case?.Signups, "case.signups"), "Flagged accounts in the case.")
            .Field("case.appealed", CelType.Bool, row => CelValue.From(row.Case?.Appealed, "case.appealed"), "An objection is open.")
            .Field("case.resolution", CelType.String, row => CelValue.From(row.Case?.Resolution, "case.resolution"), "allow, deny; missing until resolved.")
            .Field("case.resolved_by", CelType.String, row => CelValue.From(row.Case?.ResolvedBy, "case.resolved_by"), "Who resolved it.")
            .Field("case.resolved_at", CelType.Timestamp, row => Time(row.Case?.ResolvedAt, "case.resolved_at"), "When.")
            .Build();

    private static CelValue Texts(IReadOnlyList<string> texts) => CelValue.From([.. texts.Select(CelValue.From)]);

    private static CelValue Time(DateTimeOffset? value, string path) => value is { } known ? CelValue.From(known) : CelValue.Missing(path);
}
