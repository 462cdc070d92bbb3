using CsCheck;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Tests.Linkage;

public sealed class LinkageTests
{
    private static readonly LinkageRule Card = new() { Kind = KeyKind.Of(LinkAttribute.Card), Class = LinkClass.Hard, Weight = 2, Tolerance = 1, HalfLifeDays = 60 };
    private static readonly KeyHasher Hasher = new(new byte[KeyHasher.KeyBytes]);
    private const long Start = 1_790_000_000_000;

    private static IReadOnlyList<Link> See(KeyTable table, string card, long account, long atMs) =>
        Linker.Link(table, [new DerivedKey(Hasher.Hash("", Card.Kind, card), Card)], account, account, atMs);

    [Test]
    public void Each_account_on_a_key_sees_one_more_than_the_one_before()
    {
        var table = new KeyTable();
        for (var i = 1; i <= 200; i++)
        {
            var link = See(table, "c", i, Start + i).Single();
            Assert.That((link.Accounts, link.Hour, link.Day), Is.EqualTo(((long)i, (double)i, (double)i)));
        }
    }

    [Test]
    public void The_same_account_counts_once()
    {
        var table = new KeyTable();
        See(table, "c", 1, Start);
        var again = See(table, "c", 1, Start + 1000).Single();
        Assert.That((again.Accounts, again.Evidence), Is.EqualTo((1L, 0d)));
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
    public void Evidence_fades_by_half_lives()
    {
        var table = new KeyTable();
        See(table, "c", 1, Start);
        var later = See(table, "c", 2, Start + (60 * KeyState.DayMs)).Single();
        Assert.That(later.Earlier, Is.EqualTo(0.5).Within(1e-9));
    }

    [Test]
    public void Windows_forget_and_never_go_below_this_account() =>
        Gen.Int[0, 3 * 60 * 60 * 1000].Array[1, 100].Sample(offsets =>
        {
            var table = new KeyTable();
            var times = offsets.Order().Select(offset => Start + offset).ToArray();
            for (var i = 0; i < times.Length; i++)
            {
                var link = See(table, "c", i + 1, times[i]).Single();
                if (link.TenMinutes < 1 || link.TenMinutes > link.Hour + 1e-9 || link.Hour > i + 1 || link.Accounts != i + 1) return false;
            }
            return true;
        });

    [Test]
    public void Stored_states_read_back_the_same_and_count_on_the_same() =>
        Gen.Select(Gen.Long[1, 40].Array[0, 150], Gen.Int[0, 1_000_000]).Sample((accounts, step) =>
        {
            var state = new KeyState();
            for (var i = 0; i < accounts.Length; i++) state.Add(new KeyState.Member(accounts[i], i), Start + ((long)i * step), 3, i % 2 == 0, true);
            var copy = KeyState.Decode(state.Encode());
            var next = new KeyState.Member(77, 1);
            var at = Start + ((long)accounts.Length * step);
            return copy.Encode().SequenceEqual(state.Encode())
                && copy.Add(next, at, 3, true, true) == state.Add(next, at, 3, true, true)
                && copy.Encode().SequenceEqual(state.Encode());
        });

    [Test]
    public void A_damaged_state_is_not_taken_for_an_unseen_key()
    {
        var bytes = new KeyState().Encode();
        Assert.Throws<InvalidDataException>(() => KeyState.Decode(bytes.AsSpan(0, 40)));
        bytes[0] = 9;
        Assert.Throws<InvalidDataException>(() => KeyState.Decode(bytes));
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
