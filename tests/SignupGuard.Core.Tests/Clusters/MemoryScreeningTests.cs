using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Clusters;

public sealed class MemoryScreeningTests
{
    private static readonly Policy Shipped = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly SignupSignals Nothing = new()
    {
        Email = Signal<EmailSignals>.Missing("NONE"),
        Phone = Signal<PhoneSignals>.Missing("NONE"),
        Ip = Signal<IpSignals>.Missing("NONE"),
        Device = Signal<DeviceSignals>.Missing("NONE"),
        Payment = Signal<PaymentSignals>.Missing("NONE"),
    };

    /// <summary>A signup with keys as given, by attribute.</summary>
    private static LinkableSignup Signup(int account, DateTimeOffset at, params (LinkAttribute Attribute, int Value)[] keys)
    {
        var rules = Shipped.Linkage.Rules;
        var derived = new LinkKey[rules.Count];
        foreach (var (attribute, value) in keys)
        {
            var rule = rules.Single(rule => rule.Kind == KeyKind.Of(attribute));
            derived[rule.Index] = KeyHasher.Combine(rule.Kind, new LinkKey((UInt128)(value + 1)));
        }
        return new LinkableSignup(
            new Signup { SignupId = $"s{account}", OccurredAt = at },
            Nothing,
            new DerivedKeys
            {
                Keys = derived,
                Spreads = new int?[rules.Count],
                Account = account,
                Organisation = null,
            });
    }

    [Test]
    public void Memory_holds_the_keys_that_still_matter_however_long_the_stream()
    {
        const int signups = 300_000;
        var memory = new MemoryScreening(Shipped);
        var keys = new List<long>();
        for (var i = 0; i < signups; i++)
        {
            // Four years, every signup with a fingerprint of its own: half-life three days.
            memory.Screen(Signup(i, Start.AddMinutes(i * 7), (LinkAttribute.Fingerprint, i)));
            if ((i + 1) % 100_000 == 0) keys.Add(memory.Keys);
        }
        // About 17 days' worth, 200 a day.
        Assert.That(keys, Is.All.LessThan(10_000));
    }

    [Test]
    public void A_network_found_by_a_bad_label_has_its_members_decided_again_by_the_next_drain()
    {
        var memory = new MemoryScreening(Shipped);
        for (var i = 1; i <= 4; i++) memory.Screen(Signup(i, Start.AddMinutes(i), (LinkAttribute.Card, 1)));
        memory.DrainWorker((_, _) => { });
        memory.Label(2, Label.Bad);
        var changed = new List<(long Ordinal, Verdict Verdict)>();
        memory.DrainWorker((ordinal, again) => changed.Add((ordinal, again.Verdict)));
        Assert.That(changed.Select(item => item.Ordinal), Is.SupersetOf(new long[] { 1, 3, 4 }));
        Assert.That(memory.Clusters.Clusters.Single().ConfirmedBad, Is.EqualTo(1));
    }

    [Test]
    public void A_member_that_was_cleared_stays_as_it_is()
    {
        var memory = new MemoryScreening(Shipped);
        var (ordinal, _) = memory.Screen(Signup(1, Start, (LinkAttribute.Card, 1), (LinkAttribute.Device, 1)));
        memory.Label(ordinal, Label.Good);
        var changed = new List<long>();
        for (var i = 2; i <= 40; i++)
        {
            memory.Screen(Signup(i, Start.AddMinutes(i), (LinkAttribute.Card, 1), (LinkAttribute.Device, 1)));
            memory.DrainWorker((member, _) => changed.Add(member));
        }
        Assert.That(changed, Is.Not.Empty.And.Not.Contains(ordinal));
        Assert.That(memory.Clusters.Clusters.Single().Size, Is.EqualTo(40));
    }
}
