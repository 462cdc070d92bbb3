using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Configuration;
using SignupGuard.Cli.Commands;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;

namespace SignupGuard.Cli.Policies;

/// <summary>How a case went. Passed where there are no problems.</summary>
/// <param name="Fired">Ids of the rules that fired.</param>
public sealed record CaseResult(string Name, IReadOnlyList<string> Problems, IReadOnlyList<string> Fired);

/// <summary>
/// Runs cases through the core that decides live: the same signals, keys, links and rules, without a database. Where a case names links, a
/// network or lists, those stand instead of what was screened.
/// </summary>
public sealed class PolicyCaseRunner(Policy policy, IConfiguration configuration) : IDisposable
{
    /// <summary>When a case's signup happens unless it says otherwise.</summary>
    private static readonly DateTimeOffset DefaultTime = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);

    private static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly OfflinePreparation _preparation = new(configuration, policy.Linkage.Rules);

    public CaseResult Run(PolicyCase given)
    {
        var name = given.Name.Length > 0 ? given.Name : "(a case without a name)";
        try
        {
            var judgement = Judge(given);
            return new CaseResult(name, [.. Problems(given.Expect, judgement)], [.. Fired(judgement)]);
        }
        catch (InvalidDataException problem)
        {
            return new CaseResult(name, [problem.Message], []);
        }
    }

    public void Dispose() => _preparation.Dispose();

    private Judgement Judge(PolicyCase given)
    {
        var memory = new MemoryScreening(policy);
        var signup = Prepare(given.Signup, "signup", "case", DefaultTime, null) with { Lists = Lists(given.Lists) };
        var before = Before(given, signup.Signup.OccurredAt).ToList();
        foreach (var earlier in before)
        {
            memory.Screen(earlier);
            memory.DrainWorker((_, _) => { });
        }
        var judgement = memory.Screen(signup).Judgement;
        if (given.Links.Count == 0 && given.Cluster is null) return judgement;
        if (before.Count > 0) throw new InvalidDataException("A case has either signups before it, or links and a network given.");
        return policy.Judge(new Facts(signup.Signup, signup.Signals, Links(given.Links, signup), Cluster(given.Cluster, signup), signup.Lists));
    }

    private IEnumerable<LinkableSignup> Before(PolicyCase given, DateTimeOffset at)
    {
        var seconds = given.After.Sum(entry => (double)entry.Repeat * entry.ApartSeconds);
        var number = 0;
        foreach (var entry in given.After)
        {
            if (entry.Repeat is < 1 or > EarlierSignups.RepeatMax || entry.ApartSeconds < 0) throw new InvalidDataException($"after: repeat is 1 to {EarlierSignups.RepeatMax}, apart_seconds 0 or more.");
            for (var n = 1; n <= entry.Repeat; n++)
            {
                yield return Prepare(entry.Signup, "after", $"before-{++number}", at.AddSeconds(-seconds), n);
                seconds -= entry.ApartSeconds;
            }
        }
    }

    private LinkableSignup Prepare(Dictionary<object, object?> fields, string path, string id, DateTimeOffset at, int? number)
    {
        var text = JsonSerializer.Serialize(Plain(fields), Json);
        if (number is { } n) text = text.Replace("{n}", n.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var message = SignupLine.Read(new JsonLine(1, text.Length, Encoding.UTF8.GetBytes(text), TooLong: false), out var problem) ?? throw new InvalidDataException($"{path}: {problem}");
        if (message.SignupId.Length == 0) message.SignupId = id;
        message.OccurredAt ??= Timestamp.FromDateTimeOffset(at);
        return _preparation.Prepare(message, out var violations)
            ?? throw new InvalidDataException($"{path}: {string.Join("; ", violations.Select(violation => $"{violation.Field}: {violation.Description}"))}");
    }

    /// <summary>YAML's maps have keys of any kind; JSON's have names.</summary>
    private static object? Plain(object? value) => value switch
    {
        Dictionary<object, object?> map => map.ToDictionary(pair => Convert.ToString(pair.Key, CultureInfo.InvariantCulture) ?? "", pair => Plain(pair.Value)),
        List<object?> list => list.ConvertAll(Plain),
        _ => value,
    };

    private LinkSet Links(Dictionary<string, GivenLink> given, LinkableSignup signup)
    {
        var links = new LinkSet(policy.Linkage.Rules);
        foreach (var (name, link) in given)
        {
            if (!KeyKind.TryParse(name, out var kind) || policy.Linkage.Rules.FirstOrDefault(rule => rule.Kind == kind && rule.Mode != RuleMode.Off) is not { } rule)
                throw new InvalidDataException($"links: the policy has no linkage rule for `{name}`.");
            var others = link.Others ?? Math.Max(0, link.Accounts - 1);
            var seen = new Link
            {
                Present = true,
                // The case says what the key holds; which key it is does not matter.
                Key = signup.Keys.Keys[rule.Index] is { IsNone: false } key ? key : new LinkKey(UInt128.One + (UInt128)(uint)rule.Index),
                Accounts = link.Accounts,
                TenMinutes = link.TenMinutes ?? link.Accounts,
                Hour = link.Hour ?? link.Accounts,
                Day = link.Day ?? link.Accounts,
                Others = others,
                Expected = double.NaN,
                Surprise = link.Surprise,
                Gate = link.Gate,
                Evidence = rule.Class == LinkClass.Hard ? rule.HardEvidence(others) : link.Surprise * link.Gate * rule.Weight,
                Bad = link.ConfirmedBad,
                Good = link.ConfirmedGood,
                Spread = link.Spread,
                AgeMs = (long)(link.AgeDays * KeyState.DayMs),
            };
            seen.Promoted = policy.Linkage.Promotes(rule, seen, link.Accounts, link.ConfirmedBad);
            links[rule.Index] = seen;
        }
        return links;
    }

    private static ClusterFacts? Cluster(GivenCluster? given, LinkableSignup signup)
    {
        if (given is null) return null;
        var groups = KeyGroups.None;
        foreach (var name in given.KeyGroups)
        {
            if (!System.Enum.TryParse<KeyGroups>(name, ignoreCase: true, out var group)) throw new InvalidDataException($"cluster: `{name}` is no group of keys: identity, device, network or payment.");
            groups |= group;
        }
        return new ClusterFacts
        {
            Id = 1,
            Size = given.Size,
            Denied = given.Denied,
            ConfirmedBad = given.ConfirmedBad,
            ConfirmedGood = given.ConfirmedGood,
            LastHour = given.Hour,
            Groups = groups,
            FirstSeenMs = signup.AtMs - (long)(given.AgeHours * KeyState.HourMs),
            LastSeenMs = signup.AtMs,
        };
    }

    private static ListHits Lists(Dictionary<string, string> given) => ListHits.Of(given.Select(pair =>
        System.Enum.TryParse<ListEffect>(pair.Value, ignoreCase: true, out var effect)
            ? new ListHit(pair.Key, effect, ListType.Account, default, null)
            : throw new InvalidDataException($"lists: `{pair.Value}` is none of allow, deny, watch.")));

    private static IEnumerable<string> Problems(Expectation expected, Judgement judgement)
    {
        var codes = judgement.Reasons.Select(reason => reason.Code).ToHashSet(StringComparer.Ordinal);
        if (expected.Verdict is { } verdict && !string.Equals(verdict, judgement.Verdict.ToString(), StringComparison.OrdinalIgnoreCase))
            yield return string.Create(CultureInfo.InvariantCulture, $"expected {verdict}, got {judgement.Verdict.ToString().ToLowerInvariant()} with a score of {judgement.Score:0.0}: {Said(judgement)}");
        if (expected.ScoreMin > judgement.Score || expected.ScoreMax < judgement.Score)
            yield return string.Create(CultureInfo.InvariantCulture, $"expected a score of {expected.ScoreMin ?? 0:0.##} to {expected.ScoreMax ?? 100:0.##}, got {judgement.Score:0.0}: {Said(judgement)}");
        foreach (var code in expected.Reasons.Where(code => !codes.Contains(code))) yield return $"expected the reason {code}, got: {Said(judgement)}";
        foreach (var code in expected.Without.Where(codes.Contains)) yield return $"did not expect the reason {code}";
        foreach (var label in expected.Labels.Except(judgement.Labels)) yield return $"expected the label {label}";
        foreach (var obligation in expected.Obligations.Except(judgement.Obligations)) yield return $"expected the obligation {obligation}";
    }

    private static string Said(Judgement judgement) => judgement.Reasons.Count == 0
        ? "no reasons"
        : string.Join(", ", judgement.Reasons.Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Code} {reason.Contribution:+0.0;-0.0;0}")));

    private IEnumerable<string> Fired(Judgement judgement)
    {
        var codes = judgement.Reasons.Where(reason => reason.Evidence is null).Select(reason => reason.Code).ToHashSet(StringComparer.Ordinal);
        return policy.Rules.Where(rule => codes.Contains(rule.Code)).Select(rule => rule.Id);
    }
}
