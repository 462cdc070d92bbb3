using System.Globalization;
using CsCheck;
using SignupGuard.Cel;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Screening;

/// <summary>The stream in memory keeps little of a signup: it must look again exactly as one that keeps all.</summary>
public sealed class SecondLookMemoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The policy shipped, with a rule for every field there is that reads it together with a link: each adds points of its own.</summary>
    private static readonly Policy ReadsAll = Read();

    private static Policy Read()
    {
        var shipped = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!;
        var fields = FactsEnvironment.For(shipped.Linkage.Rules).Fields.ToList();
        Assert.That(fields, Has.Count.GreaterThan(100));
        var rules = fields.Select((field, index) =>
        {
            var holds = field.Type == CelType.Bool ? field.Path
                : field.Type == CelType.Int ? $"{field.Path} > 3"
                : field.Type == CelType.Double ? $"{field.Path} > 1.5"
                : field.Type == CelType.String ? $"size({field.Path}) > 4"
                : field.Type == CelType.Timestamp ? $"{field.Path} > timestamp('2026-01-01T00:10:00Z')"
                : $"size({field.Path}) > 1";
            var points = (1 + (index * 7.3)).ToString("F1", CultureInfo.InvariantCulture).Replace(".", "", StringComparison.Ordinal);
            return $"  - {{ id: read_{index}, when: \"link.device.accounts >= 1 && {holds}\", points: 0.000{points}, code: READ_{index}, text: Read. }}";
        });
        var reading = PolicyReader.Read($"{DefaultPolicy.Yaml.TrimEnd()}\n{string.Join('\n', rules)}\n", 1);
        Assert.That(reading.Issues, Is.Empty);
        return reading.Policy!;
    }

    private static readonly Gen<LinkableSignup[]> Streams =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[0, 4], Gen.Int[0, 1_000_000]).Array[20, 90].Select(drawn => drawn.Select((item, index) => Signup(index, item)).ToArray());

    private static LinkableSignup Signup(int index, (int Card, int Device, int Ip, int Organisation, int Facts) drawn)
    {
        var bits = drawn.Facts;
        bool? Maybe()
        {
            bits = (int)(((uint)bits * 1_664_525u) + 1_013_904_223u) & int.MaxValue;
            return ((bits >> 8) % 3) switch { 0 => null, 1 => true, _ => false };
        }
        var rules = ReadsAll.Linkage.Rules;
        var keys = new LinkKey[rules.Count];
        var spreads = new int?[rules.Count];
        void Key(LinkAttribute attribute, int value)
        {
            var rule = rules.Single(rule => rule.Kind == KeyKind.Of(attribute));
            keys[rule.Index] = KeyHasher.Combine(rule.Kind, new LinkKey((UInt128)(value + 1)));
            if (rule.Spread is not null) spreads[rule.Index] = value + (bits % 4);
        }
        if (drawn.Card > 0) Key(LinkAttribute.Card, drawn.Card);
        if (drawn.Device > 0) Key(LinkAttribute.Device, drawn.Device);
        Key(LinkAttribute.Ip, drawn.Ip);
        if (drawn.Organisation > 2) Key(LinkAttribute.Domain, drawn.Organisation);
        var signup = new Signup
        {
            SignupId = $"s{index}",
            OccurredAt = Start.AddSeconds(index * 40),
            Event = new SignupEvent(Maybe() == true ? "web" : "partner", "product", null, null, false),
            Email = Maybe() == true ? new EmailInput("a@b.example", null, Start.AddDays(-(bits % 500))) : null,
            Subject = new Subject { AccountType = Maybe() is null ? null : "team", Age = bits % 9 },
            Custom = Maybe() == true ? new Dictionary<string, object> { ["tier"] = "gold", ["seats"] = 3d } : new Dictionary<string, object>(),
        };
        var signals = new SignupSignals
        {
            Email = Maybe() is null
                ? Signal<EmailSignals>.Missing("NONE")
                : Signal<EmailSignals>.Present(new EmailSignals
                {
                    Canonical = "a@b.example",
                    Local = "a",
                    Domain = "b.example",
                    Free = Maybe(),
                    Disposable = Maybe(),
                    Tagged = false,
                    Skeleton = "a",
                    Length = bits % 9,
                    Digits = bits % 5,
                    DigitRatio = bits % 3,
                    Entropy = bits % 4,
                    Role = false,
                    Internationalised = false,
                    MixedScript = Maybe() == true,
                    Verified = Maybe() == true,
                    MatchesName = Maybe(),
                }),
            Phone = Signal<PhoneSignals>.Missing("NONE"),
            Ip = Maybe() is null
                ? Signal<IpSignals>.Missing("NONE")
                : Signal<IpSignals>.Present(new IpSignals
                {
                    Address = "203.0.113.7",
                    Net = "203.0.113.0/24",
                    Line = "203.0.113.7",
                    Version = 4,
                    Hosting = Maybe(),
                    Anonymiser = Maybe(),
                    TimeZoneMatches = Maybe(),
                    ResidentialProxyConfidence = Maybe() is null ? null : bits % 3,
                    NetworkClass = Maybe() == true ? "hosting" : "vpn",
                    ForwardedHops = 1,
                }),
            Device = Signal<DeviceSignals>.Present(new DeviceSignals { Impossible = Maybe() == true ? ["A", "B", "C", "D"] : [], FormSeconds = bits % 4, Headless = Maybe() }),
            Payment = Signal<PaymentSignals>.Present(new PaymentSignals { ExpiryOddities = [], MonthsToExpiry = bits % 7, Virtual = Maybe() }),
        };
        return new LinkableSignup(
            signup,
            signals,
            new DerivedKeys
            {
                Keys = keys,
                Spreads = spreads,
                Account = index,
                Organisation = drawn.Organisation > 2 ? drawn.Organisation : null,
            });
    }

    /// <summary>The stream as plainly as can be: every signup is kept, and every member is judged again in full.</summary>
    private sealed class Plain
    {
        private readonly Screener _screener = new(ReadsAll);
        private readonly KeyTable _table = new();
        private readonly LaneState _lane = new();
        private readonly List<LinkableSignup> _signups = [];
        private readonly List<Verdict> _verdicts = [];
        private readonly List<KeyTie> _pending = [];

        public ClusterGraph Clusters { get; } = new();

        public Judgement Screen(LinkableSignup signup)
        {
            _signups.Add(signup);
            var judgement = _screener.Screen(_table, _lane, signup, _signups.Count, Clusters.Find);
            _verdicts.Add(judgement.Verdict);
            _pending.AddRange(_screener.Ties(_table, _signups.Count));
            return judgement;
        }

        public void Drain(Action<long, Judgement> changed)
        {
            var changes = new ClusterChanges();
            Clusters.Apply(_pending, ordinal => new MemberFacts(_signups[(int)ordinal - 1].AtMs, _verdicts[(int)ordinal - 1], Label.None), changes);
            _pending.Clear();
            foreach (var (key, _, ordinal) in changes.Ties) _table.Change(key).Cluster = Clusters.ClusterOf(ordinal);
            foreach (var ordinal in changes.SecondLooks.Order().SelectMany(cluster => Clusters.Members(cluster)))
            {
                var again = _screener.LookAgain(_table, _lane, _signups[(int)ordinal - 1], Clusters.Find);
                var before = _verdicts[(int)ordinal - 1];
                if (!SecondLook.Changes(before, Label.None, again.Verdict)) continue;
                Clusters.Redecide(ordinal, before, again.Verdict);
                _verdicts[(int)ordinal - 1] = again.Verdict;
                changed(ordinal, again);
            }
        }
    }

    private static string Told(long ordinal, Judgement judgement) =>
        $"{ordinal} {judgement.Verdict} {judgement.LogOdds:R} {judgement.Score:R} [{string.Join("; ", judgement.Reasons)}] {string.Join(',', judgement.Undecided)} {string.Join(',', judgement.Obligations)}";

    [Test]
    public void Looking_again_from_what_is_kept_gives_the_judgements_that_whole_signups_give()
    {
        var changes = 0;
        Streams.Sample(
            stream =>
            {
                var (memory, plain) = (new MemoryScreening(ReadsAll), new Plain());
                var (actual, expected) = (new List<string>(), new List<string>());
                foreach (var signup in stream)
                {
                    var (ordinal, judgement) = memory.Screen(signup);
                    actual.Add(Told(ordinal, judgement));
                    expected.Add(Told(ordinal, plain.Screen(signup)));
                    memory.DrainWorker((member, again) => actual.Add(Told(member, again)));
                    plain.Drain((member, again) => expected.Add(Told(member, again)));
                }
                Interlocked.Add(ref changes, actual.Count - stream.Length);
                return actual.SequenceEqual(expected) && memory.Clusters.Clusters.SequenceEqual(plain.Clusters.Clusters);
            },
            iter: 20);
        // It would prove little if nobody had been decided again.
        Assert.That(changes, Is.GreaterThan(40));
    }
}
