using System.Globalization;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Linkage;

/// <summary>A signup's link keys and what it adds to them: step 4's result.</summary>
public sealed record DerivedKeys
{
    /// <summary>By <see cref="LinkageRule.Index"/>; <see cref="LinkKey.IsNone"/> where the signup lacks a part.</summary>
    public required LinkKey[] Keys { get; init; }

    /// <summary>By rule: 32 bits of the hash of the rule's spread attribute; null where it has none or the signup lacks it.</summary>
    public required int?[] Spreads { get; init; }

    /// <summary>32 bits of the account's hash, for distinct counts.</summary>
    public required int Account { get; init; }

    /// <summary>32 bits of the hash of the e-mail's own (not free) domain; null without one.</summary>
    public required int? Organisation { get; init; }

    public IEnumerable<LinkKey> Present => Keys.Where(key => !key.IsNone);
}

/// <summary>Derives a signup's link keys from its canonical signals: step 4 of the way of one signup. Pure and thread-safe.</summary>
public sealed class LinkKeyDerivation(KeyHasher hasher, IReadOnlyList<LinkageRule> rules)
{
    private static readonly int AttributesEnd = (int)Enum.GetValues<LinkAttribute>().Max() + 1;

    private readonly LinkageRule[] _rules = [.. rules];

    /// <summary>
    /// The keys of every rule whose attributes are all present; a key with a missing part does not exist (two unknowns are not alike).
    /// </summary>
    public DerivedKeys Derive(string tenant, Signup signup, SignupSignals signals)
    {
        var attributes = (stackalloc LinkKey[AttributesEnd]);
        var known = (stackalloc bool[AttributesEnd]);
        var parts = (stackalloc LinkKey[KeyKind.AttributesMax]);
        var keys = new LinkKey[_rules.Length];
        var spreads = new int?[_rules.Length];
        foreach (var rule in _rules)
        {
            if (rule.Mode == RuleMode.Off) continue;
            var kind = rule.Kind;
            var complete = true;
            for (var i = 0; i < kind.Count && complete; i++)
            {
                parts[i] = Attribute(kind[i], tenant, signup, signals, attributes, known);
                complete = !parts[i].IsNone;
            }
            if (!complete) continue;
            var key = kind.Count == 1 ? parts[0] : KeyHasher.Combine(kind, parts[..kind.Count]);
            if (rule.Given is { } given)
            {
                var stratum = Attribute(given, tenant, signup, signals, attributes, known);
                if (stratum.IsNone) continue;
                key = KeyHasher.Combine(kind, key, stratum);
            }
            keys[rule.Index] = key;
            if (rule.Spread is { } spread && Attribute(spread, tenant, signup, signals, attributes, known) is { IsNone: false } value)
                spreads[rule.Index] = Half(value);
        }
        var domain = Attribute(LinkAttribute.Domain, tenant, signup, signals, attributes, known);
        return new DerivedKeys
        {
            Keys = keys,
            Spreads = spreads,
            Account = Account(tenant, signup),
            Organisation = domain.IsNone ? null : Half(domain),
        };
    }

    private LinkKey Attribute(LinkAttribute attribute, string tenant, Signup signup, SignupSignals signals, Span<LinkKey> attributes, Span<bool> known)
    {
        var at = (int)attribute;
        if (known[at]) return attributes[at];
        known[at] = true;
        return attributes[at] = Value(attribute, signup, signals) is { } value ? hasher.Hash(tenant, KeyKind.Of(attribute), value) : default;
    }

    /// <summary>The account a signup belongs to, for distinct counts: its account id, or the signup itself while it has none.</summary>
    private int Account(string tenant, Signup signup) =>
        Half(hasher.Hash(
            tenant,
            KeyKind.Of(LinkAttribute.Account),
            signup.Subject.AccountId is { } account ? "a:" + account : "s:" + signup.SignupId));

    private static int Half(LinkKey key) => (int)(uint)(key.Hash >> 32);

    /// <summary>Canonical value of an attribute, or null when missing.</summary>
    public static string? Value(LinkAttribute attribute, Signup signup, SignupSignals signals)
    {
        var email = signals.Email.Value;
        var ip = signals.Ip.Value;
        var device = signals.Device.Value;
        var payment = signals.Payment.Value;
        return attribute switch
        {
            LinkAttribute.Account => signup.Subject.AccountId,
            LinkAttribute.Card => signup.Payment?.InstrumentFingerprint,
            LinkAttribute.Device => signup.Device?.DeviceId,
            LinkAttribute.Email => email?.Canonical,
            LinkAttribute.Phone => signals.Phone.Value is { Valid: true } phone ? phone.E164 : null,
            // Free-mail domains tie nobody together; an unknown kind (no list at hand) must not either.
            LinkAttribute.Domain => email is { Free: false, Relay: not true } ? email.RegistrableDomain ?? email.Domain : null,
            LinkAttribute.Fingerprint => signup.Device?.Fingerprint,
            LinkAttribute.Ip => ip?.Line,
            LinkAttribute.Net => ip?.Net,
            LinkAttribute.Asn => ip?.Asn?.ToString(CultureInfo.InvariantCulture),
            LinkAttribute.Skeleton => email is null ? null : $"{email.Skeleton}@{email.Domain}",
            LinkAttribute.Bin => payment?.Bin is { } bin ? $"{bin}|{payment.IssuerCountry}" : null,
            LinkAttribute.UserAgent => device?.Browser is { } browser ? $"{browser}|{device.BrowserMajor}|{device.Os}|{device.Language}|{device.TimeZone}" : null,
            LinkAttribute.NetworkClass => ip?.NetworkClass,
            LinkAttribute.TimeZoneGeo => ip?.TimeZoneMatches switch { true => "match", false => "mismatch", null => null },
            LinkAttribute.Ja4 => signup.Network?.Ja4,
            LinkAttribute.TimeZone => device?.TimeZone,
            LinkAttribute.Identity => signup.ExternalIdentity is { } identity ? $"{identity.Provider}|{identity.Subject}" : null,
            LinkAttribute.Holder => Folded(signup.Payment?.HolderName),
            LinkAttribute.Address => signup.Payment?.BillingAddress is { Line1: { } line, PostalCode: { } code } address
                ? $"{Folded(line)}|{Folded(code)}|{address.Country}"
                : null,
            LinkAttribute.Country => ip?.Country,
            LinkAttribute.Owner => Value(LinkAttribute.Domain, signup, signals) is { } domain ? "@" + domain : Value(LinkAttribute.Surname, signup, signals),
            LinkAttribute.Surname => Folded(signup.Subject.FamilyName) ?? LastWord(signup.Subject.FullName),
            _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "An attribute without a canonical value."),
        };
    }

    private static string? LastWord(string? name) => Folded(name) is { } folded ? folded[(folded.LastIndexOf(' ') + 1)..] : null;

    private static string? Folded(string? text) => text?.Trim().ToUpperInvariant() is { Length: > 0 } folded ? folded : null;
}
