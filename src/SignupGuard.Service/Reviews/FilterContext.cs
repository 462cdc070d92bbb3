using SignupGuard.Cel;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Reviews;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>What filters and signals mean under one policy: its linkage rules name the fields of links. Immutable, for one call at a time.</summary>
internal sealed class FilterContext(Policy policy)
{
    /// <summary>Fields that tell of a person rather than of a signup: filters may ask, but none is shown.</summary>
    private static readonly HashSet<string> Personal = new(StringComparer.Ordinal) { "email.local", "phone.prefix", "subject.organisation", "subject.declared_use" };

    private readonly Lazy<IReadOnlyList<(CelFieldInfo Field, CelProgram<Facts> Program)>> _signals = new(() => Signals(policy));

    public Policy Policy { get; } = policy;

    public CelEnvironment<ReviewRow> Environment { get; } = FilterFields.For(policy.Linkage.Rules);

    /// <summary>What rules could read of a signup when it was decided.</summary>
    /// <param name="content">Null when the signup is gone.</param>
    /// <param name="opened">Null when its facts can't be opened; then nothing is known of it.</param>
    public Facts? Facts(SignupContent? content, OpenedFacts? opened)
    {
        if (content is null || opened is null) return null;
        var links = new LinkSet(Policy.Linkage.Rules);
        content.Known?.Fill(links);
        return new Facts(opened.Signup, opened.Signals, links, content.Known?.Cluster, content.Known?.Lists);
    }

    /// <summary>The signals that are known of a signup and that show nothing of a person, by name.</summary>
    public IReadOnlyList<ShownSignal> Shown(Facts facts)
    {
        var shown = new List<ShownSignal>();
        foreach (var (field, program) in _signals.Value)
        {
            var value = program.Evaluate(facts);
            if (value.IsError) continue;
            if (value.Kind != CelKind.Map)
            {
                shown.Add(new ShownSignal(field.Path, value.ToString(), field.Description, Group(field.Path)));
                continue;
            }
            foreach (var (key, item) in value.AsEntries().OrderBy(entry => entry.Key.AsString(), StringComparer.Ordinal))
                shown.Add(new ShownSignal($"{field.Path}.{key}", item.ToString(), field.Description, Group(field.Path)));
        }
        return shown;
    }

    public static ReviewRow Row(FoundSignup signup, Facts? facts) => new()
    {
        SignupId = signup.SignupId,
        RecordedAt = signup.RecordedAt,
        Verdict = signup.Verdict,
        Score = signup.Score,
        ReasonCodes = signup.ReasonCodes,
        Labels = signup.Labels,
        PolicyVersion = signup.PolicyVersion,
        DecidedAt = signup.DecidedAt,
        ClusterId = signup.Cluster,
        Label = Word(signup.Label),
        Case = signup.Case is { } stored ? Row(stored) : null,
        Facts = facts,
    };

    /// <summary>A case's own signup, with what the case says of all of its signups: the most severe verdict, the highest score.</summary>
    public static ReviewRow Row(StoredCase stored, FoundSignup signup, Facts? facts) => Row(signup, facts) with
    {
        SignupId = stored.SignupId,
        Verdict = stored.Verdict,
        Score = stored.Score,
        ReasonCodes = stored.ReasonCodes,
        Labels = stored.Labels,
        ClusterId = stored.Cluster,
        Case = Row(stored),
    };

    private static ReviewCase Row(StoredCase stored) => new()
    {
        State = stored.State.ToString().ToLowerInvariant(),
        OpenedAt = stored.OpenedAt,
        Priority = stored.Priority,
        Signups = stored.Signups,
        Appealed = stored.Appealed,
        Resolution = stored.Resolution?.ToString().ToLowerInvariant(),
        ResolvedBy = stored.ResolvedBy,
        ResolvedAt = stored.ResolvedAt,
    };

    private static string? Word(Label label) => label switch
    {
        Label.Bad => "bad",
        Label.Good => "good",
        _ => null,
    };

    private static List<(CelFieldInfo, CelProgram<Facts>)> Signals(Policy policy)
    {
        var environment = FactsEnvironment.For(policy.Linkage.Rules);
        return
        [
            .. environment.Fields
                .Where(field => Group(field.Path).Length > 0 && !Personal.Contains(field.Path))
                .Select(field => (field, environment.Compile(field.Path).Program ?? throw new InvalidOperationException($"{field.Path} is no field."))),
        ];
    }

    /// <summary>Empty for what is of links, networks and lists: decisions tell of those.</summary>
    private static string Group(string path) => path.Split('.')[0] switch
    {
        "identity" => "subject",
        "link" or "cluster" or "list" => "",
        var group => group,
    };
}

/// <summary>A signal of a signup, in words.</summary>
public sealed record ShownSignal(string Name, string Value, string Description, string Group);
