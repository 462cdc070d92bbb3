using CsCheck;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Tests.Linkage;

public sealed class LinkageTests
{
    private static readonly LinkageRule Card = new()
    {
        Index = 0,
        Kind = KeyKind.Of(LinkAttribute.Card),
        Class = LinkClass.Hard,
        Weight = 2,
        Tolerance = 1,
        HalfLifeDays = 60,
    };

    private static readonly LinkageRule Soft = Card with { Kind = KeyKind.Of(LinkAttribute.Net), Class = LinkClass.Soft, HalfLifeDays = 3 };
    private static readonly KeyHasher Hasher = new(new byte[KeyHasher.KeyBytes]);
    private const long Start = 1_790_000_000_000;

    /// <summary>A lane of one rule, so that each test reads as what one key sees.</summary>
    private sealed class OneKey(LinkageRule rule)
    {
        private readonly Linker _linker = new(new LinkagePolicy { Rules = [rule] });
        private readonly LinkSet _links = new([rule]);
        private readonly KeyTable _table = new();
        private readonly LaneState _lane = new();

        public Link See(int account, long atMs, int? explainedBy = null, int? organisation = null)
        {
            organisation ??= explainedBy;
            var keys = new DerivedKeys { Keys = [Hasher.Hash("", rule.Kind, "k")], Spreads = [null], Account = account, Organisation = organisation };
            _linker.Look(_table, _lane, keys, atMs, counted: false, _links);
            _linker.Weigh(_table, _lane, keys, atMs, counted: false, explainedBy is not null, _links);
            _linker.Count(_table, _lane, keys, new KeyEvent(new KeyMember(account, atMs, account, organisation ?? 0, true, false), explainedBy is not null), _links);
            return _links[0];
        }
    }

    [Test]
    public void Each_account_on_a_key_sees_one_more_than_the_one_before()
    {
        var key = new OneKey(Card);
        for (var i = 1; i <= 200; i++)
        {
            var link = key.See(i, Start + i);
            Assert.That((link.Accounts, link.Hour, link.Day), Is.EqualTo(((long)i, (double)i, (double)i)));
        }
    }

    [Test]
    public void The_same_account_counts_once()
    {
        var key = new OneKey(Card);
        key.See(1, Start);
        var again = key.See(1, Start + 1000);
        Assert.That((again.Accounts, again.Evidence, again.Others), Is.EqualTo((1L, 0d, 0d)));
    }

    [Test]
    public void Evidence_starts_above_the_tolerance_and_grows_slower_and_slower()
    {
        Assert.That(Card.HardEvidence(1), Is.Zero);
        var steps = Enumerable.Range(2, 50).Select(m => Card.HardEvidence(m + 1) - Card.HardEvidence(m)).ToArray();
        Assert.That(Card.HardEvidence(2), Is.EqualTo(2 * Math.Log2(2.1)).Within(1e-12));
        Assert.That(steps, Is.Ordered.Descending);
        Assert.That(steps, Has.All.Positive);
    }

    [Test]
    public void Counts_fade_by_half_lives()
    {
        var key = new OneKey(Card);
        key.See(1, Start);
        Assert.That(key.See(2, Start + (60 * KeyState.DayMs)).Others, Is.EqualTo(0.5).Within(1e-9));
    }

    [Test]
    public void Accounts_of_one_organisation_count_twice_on_a_soft_key_and_never_on_a_hard_one()
    {
        var (soft, hard) = (new OneKey(Soft), new OneKey(Card));
        for (var i = 1; i <= 50; i++)
        {
            soft.See(i, Start, explainedBy: 7);
            hard.See(i, Start, explainedBy: 7);
        }
        Assert.That(soft.See(51, Start).Others, Is.EqualTo(2).Within(1e-9));
        Assert.That(hard.See(51, Start).Others, Is.Zero);
    }

    [Test]
    public void A_hard_key_inside_one_organisation_is_no_evidence_but_strangers_on_it_are()
    {
        var keys = new OneKey(Card);
        for (var i = 1; i <= 20; i++) keys.See(i, Start, organisation: 7);
        Assert.That(keys.See(21, Start, organisation: 7).Evidence, Is.Zero);
        Assert.That(keys.See(22, Start).Evidence, Is.GreaterThan(0));
    }

    [Test]
    public void Windows_are_exact_while_a_key_remembers_its_accounts() =>
        Gen.Int[0, 3 * 60 * 60 * 1000].Array[1, KeyState.MembersMax].Sample(offsets =>
        {
            var key = new OneKey(Card);
            var times = offsets.Order().Select(offset => Start + offset).ToArray();
            for (var i = 0; i < times.Length; i++)
            {
                var link = key.See(i + 1, times[i]);
                var at = times[i];
                if (link.TenMinutes != times.Take(i + 1).Count(t => t > at - KeyState.TenMinutesMs)) return false;
                if (link.Hour != times.Take(i + 1).Count(t => t > at - KeyState.HourMs)) return false;
            }
            return true;
        });

    [Test]
    public void Windows_of_a_crowded_key_stay_between_this_account_and_all_accounts() =>
        Gen.Int[0, 3 * 60 * 60 * 1000].Array[40, 300].Sample(offsets =>
        {
            var key = new OneKey(Card);
            var times = offsets.Order().Select(offset => Start + offset).ToArray();
            for (var i = 0; i < times.Length; i++)
            {
                var link = key.See(i + 1, times[i]);
                if (link.TenMinutes < 1 || link.Hour > i + 1 || link.Day > i + 1 || link.Accounts != i + 1) return false;
            }
            return true;
        });

    [Test]
    public void Stored_states_read_back_the_same_and_count_on_the_same() =>
        Gen.Select(Gen.Int[1, 60].Array[1, 150], Gen.Int[0, 1_000_000], Gen.Bool).Sample((accounts, step, hard) =>
        {
            var rule = hard ? Card : Soft;
            var state = default(KeyState);
            for (var i = 0; i < accounts.Length; i++) state.Add(Event(accounts[i], i, Start + ((long)i * step)), rule, 2, hard ? accounts[i] % 5 : null);
            var copy = StateCodec.DecodeKey(StateCodec.Encode(state), 0);
            if (!StateCodec.Encode(copy).SequenceEqual(StateCodec.Encode(state))) return false;
            var next = Event(77, 1000, Start + ((long)accounts.Length * step));
            return copy.Add(next, rule, 2, 9) == state.Add(next, rule, 2, 9)
                && StateCodec.Encode(copy).SequenceEqual(StateCodec.Encode(state));

            static KeyEvent Event(int account, long ordinal, long atMs) =>
                new(new KeyMember(ordinal, atMs, account, account % 7, true, account % 3 == 0), account % 4 == 0);
        });

    [Test]
    public void A_damaged_state_is_not_taken_for_an_unseen_key() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, 300], Gen.Byte).Sample((accounts, cut, version) =>
        {
            var state = default(KeyState);
            for (var i = 1; i <= accounts; i++) state.Add(new KeyEvent(new KeyMember(i, Start + i, i, 0, true, false), false), Card, 2, null);
            var bytes = StateCodec.Encode(state);
            if (cut < bytes.Length) Assert.Throws<InvalidDataException>(() => StateCodec.DecodeKey(bytes.AsSpan(0, cut), 0));
            if (version == bytes[0]) return;
            bytes[0] = version;
            Assert.Throws<InvalidDataException>(() => StateCodec.DecodeKey(bytes, 0));
        });

    [Test]
    public void A_lane_reads_back_the_same() =>
        Gen.Int[0, 100_000_000].Array[0, 50].Sample(offsets =>
        {
            var lane = new LaneState();
            foreach (var offset in offsets.Order()) lane.Add(Start + offset, [3, 30]);
            var copy = StateCodec.DecodeLane(StateCodec.Encode(lane));
            return copy.TotalAt(Start, 3) == lane.TotalAt(Start, 3) && copy.SeasonFactor(Start) == lane.SeasonFactor(Start)
                && StateCodec.Encode(copy).SequenceEqual(StateCodec.Encode(lane));
        });

    [Test]
    public void Surprise_is_nothing_below_chance_and_grows_with_the_count()
    {
        var soft = new SoftEvidence();
        Assert.That(soft.Surprise(1, 0), Is.Zero);
        Assert.That(soft.Surprise(10, 5), Is.Zero);
        Assert.That(soft.Surprise(3, 0.35), Is.EqualTo(((3 * Math.Log(3 / 0.35)) - (3 - 0.35)) / Math.Log(10)).Within(1e-12));
        Gen.Select(Gen.Double[0, 50], Gen.Double[0, 50], Gen.Double[0, 20]).Sample((one, two, expected) =>
            soft.Surprise(Math.Min(one, two), expected) <= soft.Surprise(Math.Max(one, two), expected)
            && soft.Surprise(one, expected) is >= 0 and <= 6);
    }

    [Test]
    public void The_gate_opens_with_the_anomalous_share()
    {
        var soft = new SoftEvidence();
        Assert.That(soft.Gate(0, 100), Is.EqualTo(soft.GateFloor));
        Assert.That(soft.Gate(100, 100), Is.EqualTo(1));
        Assert.That(soft.Gate(30, 100), Is.InRange(soft.GateFloor, 1));
    }

    [Test]
    public void Keys_differ_by_tenant_kind_value_and_deployment()
    {
        var other = new KeyHasher([.. Enumerable.Repeat((byte)1, KeyHasher.KeyBytes)]);
        LinkKey[] keys =
        [
            Hasher.Hash("a", Card.Kind, "x"), Hasher.Hash("b", Card.Kind, "x"), Hasher.Hash("a", Card.Kind, "y"),
            Hasher.Hash("a", KeyKind.Of(LinkAttribute.Device), "x"), other.Hash("a", Card.Kind, "x"), Hasher.Hash("", Card.Kind, "ax"),
        ];
        Assert.That(keys.Distinct().Count(), Is.EqualTo(keys.Length));
        Assert.That(keys.Select(key => LinkKey.From(key.ToGuid())), Is.EqualTo(keys));
    }

    [Test]
    public void Composites_of_different_parts_or_order_or_kind_differ() =>
        Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong).Where((a, b, c) => a != b && b != c && a != c && (a, b) != (1, 0)).Sample((a, b, c) =>
        {
            var kind = KeyKind.Of(LinkAttribute.Fingerprint, LinkAttribute.Bin);
            var other = KeyKind.Of(LinkAttribute.Ip, LinkAttribute.Bin);
            var (x, y, z) = (new LinkKey(a), new LinkKey(new UInt128(b, 1)), new LinkKey(new UInt128(c, 2)));
            LinkKey[] keys = [KeyHasher.Combine(kind, x, y), KeyHasher.Combine(kind, y, x), KeyHasher.Combine(kind, x, z), KeyHasher.Combine(other, x, y)];
            return keys.Distinct().Count() == keys.Length;
        });

    [Test]
    public void Kinds_keep_their_names()
    {
        foreach (var name in new[] { "card", "user_agent", "fingerprint+bin", "ip+skeleton+asn" })
        {
            Assert.That(KeyKind.TryParse(name, out var kind), Is.True);
            Assert.That(kind.ToString(), Is.EqualTo(name));
        }
        Assert.That(KeyKind.TryParse("card+nothing", out _), Is.False);
    }
}
