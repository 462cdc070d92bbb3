using CsCheck;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Lists;

public sealed class ListIndexTests
{
    private sealed record Step(int List, int Key, bool Remove, bool RemoveList, int Reason);

    private static readonly Gen<Step> Steps =
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 30], Gen.Int[0, 9], Gen.Int[0, 3]).Select((list, key, what, reason) => new Step(list, key, what is 1 or 2 or 3, what == 0, reason));

    private static ListDefinition List(int id) => new(id, $"list{id}", ListEffect.Watch, ListType.Device);

    private static ListKey Key(int key) => ListFixture.Key(ListType.Device, $"dev{key}");

    [Test]
    public void After_any_changes_the_index_holds_what_a_dictionary_would() =>
        Steps.Array[0, 60].Sample(steps =>
        {
            var model = new Dictionary<(int List, int Key), int>();
            var index = ListIndex.Empty;
            var revision = 0;
            foreach (var step in steps)
            {
                revision++;
                if (step.RemoveList)
                {
                    index = index.Apply(new ListChanges(revision, [], [step.List], [], []));
                    foreach (var key in model.Keys.Where(key => key.List == step.List).ToList()) model.Remove(key);
                    continue;
                }
                // A list that was removed comes back as another one does: under a new id. Here ids are few, so a removed one stays away.
                index = step.Remove
                    ? index.Apply(new ListChanges(revision, [], [], [], [(step.List, Key(step.Key))]))
                    : index.Apply(new ListChanges(revision, [List(step.List + (1000 * Removals(steps, step, revision)))], [], [new ListEntry(step.List + (1000 * Removals(steps, step, revision)), Key(step.Key), null, $"r{step.Reason}")], []));
                if (step.Remove) model.Remove((step.List, step.Key));
                else model[(step.List + (1000 * Removals(steps, step, revision)), step.Key)] = step.Reason;
            }
            for (var key = 0; key <= 30; key++)
            {
                var found = index.Match(ListFixture.Bare with { Device = new DeviceInput { DeviceId = $"dev{key}" } }).All.Select(hit => $"{hit.List} {hit.Reason}").Order(StringComparer.Ordinal);
                var expected = model.Where(pair => pair.Key.Key == key).Select(pair => $"list{pair.Key.List} r{pair.Value}").Order(StringComparer.Ordinal);
                if (!found.SequenceEqual(expected)) return false;
            }
            return index.Revision == revision;
        });

    private static int Removals(Step[] steps, Step step, int until) => steps.Take(until).Count(earlier => earlier.RemoveList && earlier.List == step.List);

    [Test]
    public void A_change_applied_twice_is_applied_once()
    {
        var change = new ListChanges(5, [List(1)], [], [new ListEntry(1, Key(1), null, null)], [(1, Key(2))]);
        var once = ListIndex.Empty.Apply(change);
        Assert.That(once.Apply(change).Count, Is.EqualTo(once.Count));
    }

    [Test]
    public void Many_entries_and_small_changes_over_them_are_all_found()
    {
        const int entries = 200_000;
        var keys = Enumerable.Range(0, entries).Select(i => new ListEntry(1, Key(i), null, "first")).ToArray();
        var index = ListIndex.Empty.Apply(new ListChanges(1, [List(1)], [], keys, []));
        Assert.That(index.Count, Is.EqualTo(entries));
        index = index.Apply(new ListChanges(2, [], [], [new ListEntry(1, Key(7), null, "second")], [(1, Key(8))]));
        Assert.That(Reason(index, 7), Is.EqualTo("second"));
        Assert.That(Reason(index, 8), Is.Null);
        for (var i = 9; i < entries; i += 997) Assert.That(Reason(index, i), Is.EqualTo("first"));
        // More than the small table is for: merged, and still the same.
        index = index.Apply(new ListChanges(3, [], [], [.. keys.Take(20_000).Where(entry => entry.Key != Key(8)).Select(entry => entry with { Reason = "third" })], []));
        Assert.That((Reason(index, 7), Reason(index, 8), Reason(index, 199_999)), Is.EqualTo(("third", (string?)null, "first")));
        Assert.That(index.Count, Is.EqualTo(entries - 1));
    }

    [Test]
    public void A_million_entries_take_less_than_sixty_bytes_each()
    {
        const int entries = 1_000_000;
        static ListIndex Fill() => ListIndex.Empty.Apply(new ListChanges(
            1, [List(1)], [], [.. Enumerable.Range(0, entries).Select(i => new ListEntry(1, new ListKey(new UInt128((ulong)i * 0x9E3779B97F4A7C15UL, (ulong)i)), null, $"feed {i % 100}"))], []));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var index = Fill();
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Out.WriteLine($"{bytes / (double)entries:F1} bytes an entry");
        Assert.That(bytes, Is.LessThan(60L * entries));
        Assert.That(index.Count, Is.EqualTo(entries));
    }

    private static string? Reason(ListIndex index, int key) =>
        index.Match(ListFixture.Bare with { Device = new DeviceInput { DeviceId = $"dev{key}" } }).All.SingleOrDefault()?.Reason;
}
