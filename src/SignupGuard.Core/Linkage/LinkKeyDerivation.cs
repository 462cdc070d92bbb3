using System.Globalization;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Linkage;

/// <summary>One key of a signup, by the rule that asks for it.</summary>
public readonly record struct DerivedKey(LinkKey Key, LinkageRule Rule);

/// <summary>Derives a signup's link keys from its canonical signals: step 4 of the way of one signup. Pure.</summary>
public sealed class LinkKeyDerivation(KeyHasher hasher, IReadOnlyList<LinkageRule> rules)
{
    private readonly LinkageRule[] _rules = [.. rules.Where(rule => rule.Mode != RuleMode.Off)];

    /// <summary>
    /// The keys of every rule whose attributes are all present; a key with a missing part does not exist (two unknowns are not alike).
    /// </summary>
    public IReadOnlyList<DerivedKey> Derive(string tenant, Signup signup, SignupSignals signals)
    {
        var keys = new List<DerivedKey>(_rules.Length);
        Span<LinkKey> parts = stackalloc LinkKey[KeyKind.AttributesMax];
        var attributes = new Dictionary<LinkAttribute, LinkKey?>(_rules.Length);
        foreach (var rule in _rules)
        {
            var kind = rule.Kind;
            var complete = true;
            for (var i = 0; i < kind.Count && complete; i++)
            {
                var attribute = kind[i];
                if (!attributes.TryGetValue(attribute, out var key))
                {
                    key = Value(attribute, signup, signals) is { } value ? hasher.Hash(tenant, KeyKind.Of(attribute), value) : null;
                    attributes.Add(attribute, key);
                }
                if (key is { } present) parts[i] = present;
                else complete = false;
            }
            if (complete) keys.Add(new DerivedKey(kind.Count == 1 ? parts[0] : hasher.Combine(kind, parts[..kind.Count]), rule));
        }
        return keys;
    }

    /// <summary>The account a signup belongs to, for distinct counts: its account id, or the signup itself while it has none.</summary>
    public long Account(string tenant, Signup signup) =>
        (long)(ulong)hasher.Hash(
            tenant,
            KeyKind.Of(LinkAttribute.Account),
            signup.Subject.AccountId is { } account ? "a:" + account : "s:" + signup.SignupId).Hash;

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
            LinkAttribute.Holder => signup.Payment?.HolderName?.Trim().ToUpperInvariant(),
            LinkAttribute.Address => signup.Payment?.BillingAddress is { Line1: { } line, PostalCode: { } code } address
                ? $"{line.Trim().ToUpperInvariant()}|{code.Trim().ToUpperInvariant()}|{address.Country}"
                : null,
            _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "An attribute without a canonical value."),
        };
    }
}
