using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Backtests;

/// <summary>One past signup, prepared for both policies: they differ in the link keys alone.</summary>
/// <param name="Begins">It is the first of its transaction of the live service, whose signups did not see each other's networks.</param>
/// <param name="Reported">False for those before the time reported on.</param>
/// <param name="Stored">The first verdict that was stored and the one in force; null when not known.</param>
public sealed record BacktestSignup(LinkableSignup Baseline, LinkableSignup Candidate, bool Begins, bool Reported, (Verdict First, Verdict InForce)? Stored);

/// <summary>
/// Compares two policies on past signups: give it the signups and labels in their order, then ask for the report. Pure: time is the signups' own.
/// The members are for one thread, except that the two halves of <see cref="Screen"/> may run beside each other.
/// </summary>
public sealed class Backtest(Policy baseline, Policy candidate)
{
    /// <summary>Signups shown of each move.</summary>
    public const int SamplesMax = 20;

    /// <summary>Pairs of rules reported.</summary>
    public const int OverlapsMax = 200;

    private static readonly string[] Dimensions = ["account_type", "channel", "country", "email", "network_class"];

    private static readonly Verdict[] Verdicts = [Verdict.Allow, Verdict.Review, Verdict.Deny];

    private readonly BacktestSide _baseline = new(baseline, explain: false);
    private readonly BacktestSide _candidate = new(candidate, explain: true);
    private readonly List<Known> _known = [];
    private readonly Dictionary<long, Label> _labels = [];
    private readonly Dictionary<Population, int> _populations = [];
    private readonly List<Population> _populationsInOrder = [];
    private long? _firstMs;
    private long _unreadable;

    /// <summary>Signups replayed.</summary>
    public long Signups => _known.Count;

    /// <summary>Where a signup stands in each dimension.</summary>
    private readonly record struct Population(string AccountType, string Channel, string Country, string Email, string NetworkClass)
    {
        public string this[int dimension] => dimension switch
        {
            0 => AccountType,
            1 => Channel,
            2 => Country,
            3 => Email,
            _ => NetworkClass,
        };
    }

    /// <summary>What is known of a signup besides its verdicts.</summary>
    private readonly record struct Known(int Population, int Day, bool Reported, byte StoredFirst, byte StoredInForce);

    /// <summary>Screens the next signups under both policies, each on a task of its own.</summary>
    public async Task ScreenAsync(IReadOnlyList<BacktestSignup> signups, IReadOnlyList<BacktestLabel> labels)
    {
        var one = Task.Run(() => Run(_baseline, signups, labels, signup => signup.Baseline));
        var other = Task.Run(() => Run(_candidate, signups, labels, signup => signup.Candidate));
        await Task.WhenAll(one, other).ConfigureAwait(false);
        Remember(signups, labels);
    }

    /// <summary>The same, one policy after the other.</summary>
    public void Screen(IReadOnlyList<BacktestSignup> signups, IReadOnlyList<BacktestLabel> labels)
    {
        Run(_baseline, signups, labels, signup => signup.Baseline);
        Run(_candidate, signups, labels, signup => signup.Candidate);
        Remember(signups, labels);
    }

    /// <summary>Counts a signup of the time reported on that could not be read.</summary>
    public void LeaveOut() => _unreadable++;

    /// <summary>Everything so far.</summary>
    /// <param name="complete">Whether the replayed stream began with the first signup ever.</param>
    public BacktestReport Report(bool complete)
    {
        _baseline.Drain();
        _candidate.Drain();
        var tally = new Tally(this);
        var warmUp = _known.Count - tally.Signups;
        return new BacktestReport
        {
            BaselineVersion = baseline.Version,
            CandidateVersion = candidate.Version,
            Signups = tally.Signups,
            Unreadable = _unreadable,
            WarmUp = new BacktestWarmUp(warmUp, _firstMs, complete),
            FirstAsStored = Share.Wilson(tally.FirstAsStored, tally.Stored),
            InForceAsStored = Share.Wilson(tally.InForceAsStored, tally.Stored),
            Moves = tally.Moves(),
            BaselineMeasures = tally.Baseline.Measures(),
            CandidateMeasures = tally.Candidate.Measures(),
            Populations = tally.Populations(),
            Clusters = Compare(_baseline.Clusters, _candidate.Clusters),
            Rules = tally.Rules(),
            Overlaps = tally.Overlaps(),
            Days = [.. tally.Days.Values],
        };
    }

    private static void Run(BacktestSide side, IReadOnlyList<BacktestSignup> signups, IReadOnlyList<BacktestLabel> labels, Func<BacktestSignup, LinkableSignup> linkable)
    {
        var next = 0;
        for (var i = 0; i < signups.Count; i++)
        {
            for (; next < labels.Count && labels[next].Before <= i; next++) side.Label(labels[next].Ordinal, labels[next].Label);
            side.Screen(linkable(signups[i]), signups[i].Begins);
        }
        for (; next < labels.Count; next++) side.Label(labels[next].Ordinal, labels[next].Label);
    }

    private void Remember(IReadOnlyList<BacktestSignup> signups, IReadOnlyList<BacktestLabel> labels)
    {
        foreach (var (signup, _, _, reported, stored) in signups)
        {
            _firstMs ??= signup.AtMs;
            _known.Add(new Known(PopulationOf(signup.Signup, signup.Signals), (int)Math.Floor(signup.AtMs / (double)KeyState.DayMs), reported, (byte)(stored?.First ?? 0), (byte)(stored?.InForce ?? 0)));
        }
        foreach (var label in labels) _labels[label.Ordinal] = label.Label;
    }

    private int PopulationOf(Signup signup, SignupSignals signals)
    {
        var population = new Population(
            signup.Subject.AccountType ?? "",
            signup.Event.Channel ?? "",
            signals.Ip.Value?.Country ?? "",
            signals.Email.Value switch
            {
                null => "",
                { Relay: true } => "relay",
                { Disposable: true } => "disposable",
                { Free: true } => "free",
                { Free: false } => "own",
                _ => "",
            },
            signals.Ip.Value?.NetworkClass ?? "");
        if (_populations.TryGetValue(population, out var known)) return known;
        _populations.Add(population, _populationsInOrder.Count);
        _populationsInOrder.Add(population);
        return _populationsInOrder.Count - 1;
    }

    private static ClusterComparison Compare(ClusterGraph baseline, ClusterGraph candidate)
    {
        var merged = candidate.Clusters.Count(cluster => Others(candidate.Members(cluster.Id), baseline, countNone: false) >= 2);
        var split = baseline.Clusters.Count(cluster => Others(baseline.Members(cluster.Id), candidate, countNone: true) != 1);
        return new ClusterComparison(
            baseline.Clusters.LongCount(), candidate.Clusters.LongCount(), baseline.Clusters.Sum(cluster => cluster.Size), candidate.Clusters.Sum(cluster => cluster.Size), merged, split);

        // Of how many networks of the other policy these accounts are; those of none are one more where that counts, unless all are.
        static int Others(IEnumerable<long> members, ClusterGraph other, bool countNone)
        {
            var found = new HashSet<long>();
            foreach (var member in members) found.Add(other.ClusterOf(member));
            var none = found.Remove(0);
            return found.Count == 0 ? 0 : found.Count + (countNone && none ? 1 : 0);
        }
    }

    /// <summary>One pass over all that was kept.</summary>
    private sealed class Tally
    {
        private readonly Backtest _of;
        private readonly long[,] _moves = new long[4, 4];
        private readonly long[,] _bad = new long[4, 4];
        private readonly long[,] _good = new long[4, 4];
        private readonly List<int>[,] _samples = new List<int>[4, 4];
        private readonly long[,] _strides = new long[4, 4];
        private readonly long[] _patterns;
        private readonly long[] _patternsBad;
        private readonly long[] _patternsGood;
        private readonly (long Signups, long More, long Less, long BaselineFlagged, long CandidateFlagged)[] _populations;

        public Tally(Backtest of)
        {
            _of = of;
            var (baselines, candidates) = (of._baseline.Decisions, of._candidate.Decisions);
            var patterns = of._candidate.Patterns.Count;
            (_patterns, _patternsBad, _patternsGood) = (new long[patterns], new long[patterns], new long[patterns]);
            _populations = new (long, long, long, long, long)[of._populationsInOrder.Count];
            for (var i = 0; i < of._known.Count; i++)
            {
                var known = of._known[i];
                if (!known.Reported) continue;
                var label = of._labels.GetValueOrDefault(i + 1);
                var (one, other) = (baselines[i], candidates[i]);
                Signups++;
                if (known.StoredFirst != 0)
                {
                    Stored++;
                    if (known.StoredFirst == (byte)one.First) FirstAsStored++;
                    if (known.StoredInForce == (byte)one.InForce) InForceAsStored++;
                }
                Move(i, one.InForce, other.InForce, label);
                Baseline.Add(one.InForce, label);
                Candidate.Add(other.InForce, label);
                _patterns[other.Pattern]++;
                if (label == Label.Bad) _patternsBad[other.Pattern]++;
                if (label == Label.Good) _patternsGood[other.Pattern]++;
                ref var population = ref _populations[known.Population];
                population.Signups++;
                if (other.InForce > one.InForce) population.More++;
                if (other.InForce < one.InForce) population.Less++;
                if (one.InForce > Verdict.Allow) population.BaselineFlagged++;
                if (other.InForce > Verdict.Allow) population.CandidateFlagged++;
                Day(known.Day, one.InForce, other.InForce);
            }
        }

        public long Signups { get; }

        public long Stored { get; }

        public long FirstAsStored { get; }

        public long InForceAsStored { get; }

        public LabelTally Baseline { get; } = new();

        public LabelTally Candidate { get; } = new();

        public SortedDictionary<int, DayLoad> Days { get; } = [];

        private void Move(int signup, Verdict from, Verdict to, Label label)
        {
            var (row, column) = ((int)from, (int)to);
            var before = _moves[row, column]++;
            if (label == Label.Bad) _bad[row, column]++;
            if (label == Label.Good) _good[row, column]++;
            if (from == to) return;
            // Every so many-th, and half as many as soon as there are too many: spread over the time, and the same in every run.
            ref var stride = ref _strides[row, column];
            if (before % Math.Max(stride, 1) != 0) return;
            var samples = _samples[row, column] ??= [];
            samples.Add(signup);
            if (samples.Count <= SamplesMax) return;
            stride = Math.Max(stride, 1) * 2;
            _samples[row, column] = [.. samples.Where((_, index) => index % 2 == 0)];
        }

        private void Day(int day, Verdict one, Verdict other)
        {
            var load = Days.GetValueOrDefault(day) ?? new DayLoad(DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays(day), 0, 0, 0, 0, 0);
            Days[day] = load with
            {
                Signups = load.Signups + 1,
                BaselineReviews = load.BaselineReviews + (one == Verdict.Review ? 1 : 0),
                CandidateReviews = load.CandidateReviews + (other == Verdict.Review ? 1 : 0),
                BaselineDenials = load.BaselineDenials + (one == Verdict.Deny ? 1 : 0),
                CandidateDenials = load.CandidateDenials + (other == Verdict.Deny ? 1 : 0),
            };
        }

        public List<VerdictMove> Moves() =>
        [
            .. from one in Verdicts
               from other in Verdicts
               let samples = _samples[(int)one, (int)other] ?? []
               select new VerdictMove(one, other, _moves[(int)one, (int)other], _bad[(int)one, (int)other], _good[(int)one, (int)other], samples.ConvertAll(Sample)),
        ];

        private MoveSample Sample(int signup)
        {
            var side = _of._candidate;
            var decided = side.Decisions[signup];
            var codes = side.Patterns[decided.Pattern].Select(BacktestSide.Read).Where(part => part.Bearing != BacktestSide.Bearing.Undecided).Select(part => side.Marks[part.Mark].Code);
            return new MoveSample(signup + 1, _of._baseline.Decisions[signup].Score, decided.Score, [.. codes]);
        }

        public List<PopulationFlips> Populations()
        {
            var flips = new List<PopulationFlips>();
            for (var dimension = 0; dimension < Dimensions.Length; dimension++)
            {
                flips.AddRange(Enumerable.Range(0, _populations.Length)
                    .Where(i => _populations[i].Signups > 0)
                    .GroupBy(i => _of._populationsInOrder[i][dimension], i => _populations[i], StringComparer.Ordinal)
                    .Select(part => new PopulationFlips(
                        Dimensions[dimension], part.Key, part.Sum(p => p.Signups), part.Sum(p => p.More), part.Sum(p => p.Less), part.Sum(p => p.BaselineFlagged), part.Sum(p => p.CandidateFlagged)))
                    .OrderByDescending(part => part.Signups)
                    .ThenBy(part => part.Value, StringComparer.Ordinal));
            }
            return flips;
        }

        public List<RuleEffect> Rules()
        {
            var side = _of._candidate;
            var rules = side.Marks.Select(mark => mark.RuleId).Distinct().ToDictionary(id => id, _ => new RuleTally(), StringComparer.Ordinal);
            for (var i = 0; i < _patterns.Length; i++)
            {
                foreach (var (mark, bearing) in side.Patterns[i].Select(BacktestSide.Read)) rules[side.Marks[mark].RuleId].Add(bearing, _patterns[i], _patternsBad[i], _patternsGood[i]);
            }
            return [.. side.Marks.Select(mark => mark.RuleId).Distinct().Select((id, index) => rules[id].Effect(id, index < _of._candidate.Rules))];
        }

        public List<RuleOverlap> Overlaps()
        {
            var side = _of._candidate;
            var (alone, both) = (new Dictionary<string, long>(StringComparer.Ordinal), new Dictionary<(string, string), long>());
            for (var i = 0; i < _patterns.Length; i++)
            {
                if (_patterns[i] == 0) continue;
                var held = side.Patterns[i].Select(BacktestSide.Read).Where(part => part.Bearing != BacktestSide.Bearing.Undecided).Select(part => side.Marks[part.Mark].RuleId)
                    .Distinct().Order(StringComparer.Ordinal).ToArray();
                for (var one = 0; one < held.Length; one++)
                {
                    alone[held[one]] = alone.GetValueOrDefault(held[one]) + _patterns[i];
                    for (var other = one + 1; other < held.Length; other++) both[(held[one], held[other])] = both.GetValueOrDefault((held[one], held[other])) + _patterns[i];
                }
            }
            return
            [
                .. both.Select(pair => new RuleOverlap(pair.Key.Item1, pair.Key.Item2, pair.Value, (double)pair.Value / (alone[pair.Key.Item1] + alone[pair.Key.Item2] - pair.Value)))
                    .OrderByDescending(pair => pair.Jaccard)
                    .ThenByDescending(pair => pair.Both)
                    .ThenBy(pair => pair.RuleId, StringComparer.Ordinal)
                    .ThenBy(pair => pair.OtherRuleId, StringComparer.Ordinal)
                    .Take(OverlapsMax),
            ];
        }
    }

    private sealed class RuleTally
    {
        private long _hits;
        private long _bad;
        private long _good;
        private long _undecided;
        private long _marginal;

        public void Add(BacktestSide.Bearing bearing, long signups, long bad, long good)
        {
            if (bearing == BacktestSide.Bearing.Undecided)
            {
                _undecided += signups;
                return;
            }
            _hits += signups;
            _bad += bad;
            _good += good;
            if (bearing == BacktestSide.Bearing.Decides) _marginal += signups;
        }

        public RuleEffect Effect(string id, bool isRule) => new(id, _hits, _bad, _good, _undecided, isRule ? _marginal : null);
    }

    private sealed class LabelTally
    {
        // By label, then verdict.
        private readonly long[,] _counts = new long[3, 4];

        public void Add(Verdict verdict, Label label) => _counts[(int)label, (int)verdict]++;

        public LabelMeasures? Measures()
        {
            var (bad, good) = (All(Label.Bad), All(Label.Good));
            if (bad + good == 0) return null;
            var (flaggedBad, flaggedGood) = (Denied(Label.Bad) + Reviewed(Label.Bad), Denied(Label.Good) + Reviewed(Label.Good));
            return new LabelMeasures(
                bad,
                good,
                Share.Wilson(flaggedBad, flaggedBad + flaggedGood),
                Share.Wilson(flaggedBad, bad),
                Share.Wilson(flaggedGood, good),
                Share.Wilson(Denied(Label.Bad), Denied(Label.Bad) + Denied(Label.Good)),
                Share.Wilson(Denied(Label.Bad), bad),
                Share.Wilson(Denied(Label.Good), good));
        }

        private long All(Label label) => _counts[(int)label, (int)Verdict.Allow] + Reviewed(label) + Denied(label);

        private long Reviewed(Label label) => _counts[(int)label, (int)Verdict.Review];

        private long Denied(Label label) => _counts[(int)label, (int)Verdict.Deny];
    }
}

/// <summary>What an account of the stream turned out to be.</summary>
/// <param name="Before">Known before the signup at this place of the chunk given with it; the chunk's length for after all of them.</param>
/// <param name="Ordinal">Of the account's signup in the replayed stream, from 1.</param>
public sealed record BacktestLabel(int Before, long Ordinal, Label Label);
