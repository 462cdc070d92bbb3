using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;

namespace SignupGuard.Core.Backtests;

/// <summary>
/// One policy over the stream of a backtest. Not thread-safe, and independent of the other side: the two may run beside each other. Keeps a few bytes of
/// each signup besides what screening itself remembers.
/// </summary>
public sealed class BacktestSide
{
    private readonly Policy _policy;
    private readonly bool _explain;
    private readonly MemoryScreening _memory;
    private readonly Dictionary<string, int> _rules = new(StringComparer.Ordinal);
    private readonly List<Decided> _decided = [];

    // Alike outcomes are kept once: what a signup was decided by is one of some thousand combinations.
    private readonly Dictionary<int[], int> _patterns = new(SequenceComparer.Instance);
    private readonly List<int[]> _patternsInOrder = [];
    private readonly Dictionary<string, int> _codes = new(StringComparer.Ordinal);
    private readonly List<RuleMark> _marks = [];
    private int[] _scratch = new int[64];

    /// <param name="explain">Whether to keep what each decision was made by.</param>
    internal BacktestSide(Policy policy, bool explain)
    {
        (_policy, _explain, _memory) = (policy, explain, new MemoryScreening(policy));
        for (var i = 0; i < policy.Rules.Count; i++) _rules.Add(policy.Rules[i].Id, i);
        foreach (var rule in policy.Rules) Mark(rule.Id, rule.Id, rule.Code);
    }

    public long Signups => _decided.Count;

    /// <summary>Decision rules: the first marks are theirs.</summary>
    internal int Rules => _policy.Rules.Count;

    internal IReadOnlyList<Decided> Decisions => _decided;

    internal ClusterGraph Clusters => _memory.Clusters;

    /// <summary>What a mark of a pattern speaks of.</summary>
    internal IReadOnlyList<RuleMark> Marks => _marks;

    internal IReadOnlyList<int[]> Patterns => _patternsInOrder;

    /// <summary>The verdicts of one signup.</summary>
    /// <param name="Pattern">What it is decided by; −1 when not kept.</param>
    internal readonly record struct Decided(Verdict First, Verdict InForce, float Score, int Pattern);

    /// <param name="RuleId">As reported.</param>
    internal readonly record struct RuleMark(string RuleId, string Code);

    /// <summary>How one part of a pattern bears on the decision. A part is a mark's number times four, and this.</summary>
    internal enum Bearing
    {
        Holds = 0,

        /// <summary>Holds, and without it the verdict would be another.</summary>
        Decides = 1,
        Undecided = 2,
    }

    /// <summary>Screens the next signup.</summary>
    /// <param name="begins">Whether it begins a transaction of the live service: the worker's turn comes before, with all that was committed.</param>
    internal void Screen(LinkableSignup signup, bool begins)
    {
        if (begins) Drain();
        var (_, judgement) = _memory.Screen(signup);
        _decided.Add(new Decided(judgement.Verdict, judgement.Verdict, (float)judgement.Score, Explain(judgement)));
    }

    /// <summary>Records what an account turned out to be, as of now.</summary>
    internal void Label(long ordinal, Label label)
    {
        Drain();
        _memory.Label(ordinal, label);
    }

    internal void Drain() => _memory.DrainWorker((ordinal, again) =>
    {
        var before = _decided[(int)ordinal - 1];
        _decided[(int)ordinal - 1] = new Decided(before.First, again.Verdict, (float)again.Score, Explain(again));
    });

    private int Explain(Judgement judgement)
    {
        if (!_explain) return -1;
        var length = 0;
        if (_scratch.Length < judgement.Reasons.Count + judgement.Undecided.Count) _scratch = new int[2 * (judgement.Reasons.Count + judgement.Undecided.Count)];
        foreach (var reason in judgement.Reasons)
        {
            var mark = reason.RuleId is { } id ? _rules[id] : Mark(reason.Code, reason.Evidence is { } shared ? $"link.{FactsEnvironment.FieldName(shared.Kind)}" : "list", reason.Code);
            _scratch[length++] = Part(mark, reason.RuleId is not null && Decides(judgement, _rules[reason.RuleId]) ? Bearing.Decides : Bearing.Holds);
        }
        foreach (var id in judgement.Undecided) _scratch[length++] = Part(_rules[id], Bearing.Undecided);
        var parts = _scratch.AsSpan(0, length);
        var patterns = _patterns.GetAlternateLookup<ReadOnlySpan<int>>();
        if (patterns.TryGetValue(parts, out var known)) return known;
        var pattern = parts.ToArray();
        _patterns.Add(pattern, _patternsInOrder.Count);
        _patternsInOrder.Add(pattern);
        return _patternsInOrder.Count - 1;
    }

    /// <summary>Whether the verdict would be another had one of the rules that held not held.</summary>
    private bool Decides(Judgement judgement, int without)
    {
        var own = _policy.BaseLogOdds;
        Verdict? outright = null;
        var left = _policy.Rules[without];
        foreach (var reason in judgement.Reasons)
        {
            if (reason.RuleId is not { } id)
            {
                if (reason.Code is Policy.ListAllowed or Policy.ListDenied && reason.Evidence is null) outright = Policy.Stronger(outright, reason.Code == Policy.ListAllowed ? Verdict.Allow : Verdict.Deny);
                continue;
            }
            var rule = _policy.Rules[_rules[id]];
            if (!rule.Linkage) own += rule.Points;
            if (rule != left) outright = Policy.Stronger(outright, rule.Outright);
        }
        var all = judgement.LogOdds - left.Points;
        if (!left.Linkage) own -= left.Points;
        var (score, ownScore) = (_policy.Calibration.Score(all), _policy.Calibration.Score(own));
        return _policy.Fold(outright, score, ownScore, _policy.Denies(_memory.Links, _memory.Cluster)) != judgement.Verdict;
    }

    private static int Part(int mark, Bearing bearing) => (mark * 4) + (int)bearing;

    /// <summary>Mark and bearing of a pattern's part.</summary>
    internal static (int Mark, Bearing Bearing) Read(int part) => (part / 4, (Bearing)(part % 4));

    private int Mark(string key, string ruleId, string code)
    {
        if (_codes.TryGetValue(key, out var mark)) return mark;
        _codes.Add(key, _marks.Count);
        _marks.Add(new RuleMark(ruleId, code));
        return _marks.Count - 1;
    }

    private sealed class SequenceComparer : IEqualityComparer<int[]>, IAlternateEqualityComparer<ReadOnlySpan<int>, int[]>
    {
        public static readonly SequenceComparer Instance = new();

        public bool Equals(int[]? one, int[]? other) => one.AsSpan().SequenceEqual(other);

        public bool Equals(ReadOnlySpan<int> alternate, int[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(int[] sequence) => GetHashCode(sequence.AsSpan());

        public int GetHashCode(ReadOnlySpan<int> alternate)
        {
            var hash = new HashCode();
            foreach (var part in alternate) hash.Add(part);
            return hash.ToHashCode();
        }

        public int[] Create(ReadOnlySpan<int> alternate) => alternate.ToArray();
    }
}
