using CsCheck;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Tests.Linkage;

public sealed class KeyTableTests
{
    private const long Start = 1_790_000_000_000;

    private static readonly LinkageRule Fast = new()
    {
        Index = 0,
        Kind = KeyKind.Of(LinkAttribute.Ip),
        Class = LinkClass.Soft,
        Weight = 1,
        HalfLifeDays = 1,
    };

    private static readonly LinkageRule Slow = Fast with { HalfLifeDays = 100 };

    /// <summary>Many keys in few shards and places of the index, some of them alike in all bits that choose a place.</summary>
    private static LinkKey Key(int number) => new(new UInt128((ulong)(uint)number / 7, ((ulong)(uint)(number % 3) << 56) | ((ulong)(uint)(number % 5) << 48) | (uint)(number % 7)));

    private static KeyEvent Event(int account, long atMs) => new(new KeyMember(account, atMs, account, 0, true, false), false);

    [Test]
    public void A_table_holds_what_a_dictionary_holds_through_growth_and_forgetting([Values] bool large) =>
        Gen.Int[1, 3_000].Array[1, 2_000].Sample(
            numbers =>
            {
                var (table, expected) = (new KeyTable(large), new Dictionary<LinkKey, KeyState>());
                for (var i = 0; i < numbers.Length; i++)
                {
                    var (key, rule, atMs) = (Key(numbers[i]), numbers[i] % 2 == 0 ? Fast : Slow, Start + (i * KeyState.DayMs / 20));
                    var copy = expected.GetValueOrDefault(key);
                    copy = StateCodec.Encode(copy) is var bytes && copy.Accounts > 0 ? StateCodec.DecodeKey(bytes, 0) : default;
                    copy.Add(Event(i, atMs), rule, 2, null);
                    expected[key] = copy;
                    table.Change(key).Add(Event(i, atMs), rule, 2, null);
                    if (i % 500 != 499) continue;
                    var forgotten = 0;
                    foreach (var (known, state) in expected)
                    {
                        if (state.Forgettable(atMs) && expected.Remove(known)) forgotten++;
                    }
                    if (table.Forget(atMs) != forgotten) return false;
                }
                return table.Count == expected.Count
                    && expected.All(pair => table.Contains(pair.Key) && StateCodec.Encode(table.Look(pair.Key)).SequenceEqual(StateCodec.Encode(pair.Value)))
                    && Enumerable.Range(3_001, 500).All(number => !table.Contains(Key(number)) && table.Look(Key(number)).Accounts == 0);
            },
            iter: 30);

    [Test]
    public void Only_what_was_changed_is_listed_as_changed_and_once()
    {
        var table = new KeyTable();
        for (var i = 0; i < 100; i++)
        {
            var state = default(KeyState);
            state.Add(Event(1, Start), Fast, 2, null);
            table.Load(Key(i), state);
        }
        for (var i = 50; i < 150; i++)
        {
            table.Change(Key(i)).Add(Event(2, Start), Fast, 2, null);
            table.Change(Key(i)).Add(Event(3, Start), Fast, 2, null);
        }
        Assert.That(table.Changed, Is.EquivalentTo(Enumerable.Range(50, 100).Select(Key)));
        Assert.That(table.Look(Key(60)).Accounts, Is.EqualTo(3));
    }

    [Test]
    public void A_key_with_one_account_keeps_all_of_it_when_it_gets_a_history() =>
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Int).Sample((explained, anomalous, hard, spread) =>
        {
            var rule = Slow with { Class = hard ? LinkClass.Hard : LinkClass.Soft };
            var one = default(KeyState);
            one.Add(new KeyEvent(new KeyMember(7, Start, 70, 700, true, anomalous), explained), rule, 2, spread);
            one.Promoted = true;
            var opened = one;
            opened.Relabel(Label.None, Label.Bad);
            opened.Relabel(Label.Bad, Label.None);
            var next = new KeyEvent(new KeyMember(8, Start + KeyState.HourMs, 71, 700, true, false), explained);
            var same = Told(one) == Told(opened) && Told(StateCodec.DecodeKey(StateCodec.Encode(one), 0)) == Told(one) && Told(StateCodec.DecodeKey(StateCodec.Encode(opened), 0)) == Told(one);
            return same && one.Add(next, rule, 2, spread + 1) && opened.Add(next, rule, 2, spread + 1) && Told(one) == Told(opened);
        });

    private static string Told(in KeyState state) =>
        $"{state.Accounts} {state.Count:R} {state.Anomalous:R} {state.FirstSeenMs} {state.LastSeenMs} {state.Spread} {state.Promoted} {state.Bad} {state.MemberCount} {state.MemberAt(0)} {state.Holds(70)}";
}
