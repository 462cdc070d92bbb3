using System.Net;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Lists;

/// <summary>Lists made of what people write, and signups held against them.</summary>
internal static class ListFixture
{
    public const string Tenant = "t";

    public static readonly DateTimeOffset At = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly KeyHasher Hasher = new(new byte[KeyHasher.KeyBytes]);

    public static readonly ListValueReader Reader = new(Hasher, EmailProviders.Default, phone: text => text.StartsWith('+') ? text.Replace(" ", "", StringComparison.Ordinal) : null, country: code => code != "XX");

    /// <summary>So that it is known which domains are free, and own ones have a link key.</summary>
    private static readonly EmailReference Reference = new() { Free = System.Collections.Frozen.FrozenSet<string>.Empty };

    public static readonly Policy Policy = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!;

    private static readonly ListMatcher Matcher = new(Hasher);

    public static ListKey Key(ListType type, string text) => Reader.Read(Tenant, type, text)?.Key ?? throw new ArgumentException($"{text} is no {type}.");

    /// <summary>One list with entries that do not expire.</summary>
    public static ListIndex Of(ListType type, params string[] values) => Of(ListEffect.Deny, type, values);

    public static ListIndex Of(ListEffect effect, ListType type, params string[] values) =>
        ListIndex.Empty.Apply(new ListChanges(1, [new ListDefinition(1, "one", effect, type)], [], [.. values.Select(value => new ListEntry(1, Key(type, value), null, null))], []));

    public static ListHits Match(this ListIndex index, Signup signup, IReadOnlyList<LinkageRule>? rules = null)
    {
        rules ??= Policy.Linkage.Rules;
        var signals = Signals(signup);
        return Matcher.Match(index, Tenant, signup, signals, new LinkKeyDerivation(Hasher, rules).Derive(Tenant, signup, signals), rules);
    }

    public static bool On(this ListIndex index, Signup signup) => index.Match(signup).All.Count > 0;

    public static Signup Email(string address) => Bare with { Email = new EmailInput(address, null) };

    public static Signup Ip(string address) => Bare with { Network = new NetworkInput { Ip = IPAddress.Parse(address) } };

    public static readonly Signup Bare = new() { SignupId = "s", OccurredAt = At };

    public static SignupSignals Signals(Signup signup) => new()
    {
        Email = EmailDerivation.Derive(signup.Email, Subject.None, Reference),
        Phone = signup.Phone is { } phone
            ? Signal<PhoneSignals>.Present(new PhoneSignals
            {
                E164 = phone.Number,
                Valid = true,
                CountryCode = 49,
                LineType = "mobile",
                Prefix = phone.Number[..4],
                Verified = false,
            })
            : Signal<PhoneSignals>.Missing("NONE"),
        Ip = signup.Network?.Ip is { } ip && AddressSpace.Unwrap(ip) is var address
            ? Signal<IpSignals>.Present(new IpSignals
            {
                Address = address.ToString(),
                Net = AddressSpace.Net(address),
                Line = AddressSpace.Line(address),
                Version = 4,
                Country = "DE",
                Asn = 64500,
                ForwardedHops = 0,
            })
            : Signal<IpSignals>.Missing("NONE"),
        Device = Signal<DeviceSignals>.Missing("NONE"),
        Payment = PaymentDerivation.Derive(signup, null),
    };
}
