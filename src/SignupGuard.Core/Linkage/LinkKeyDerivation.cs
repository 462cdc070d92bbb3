using System.Globalization;
using System.Runtime.CompilerServices;
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

/// <summary>
/// The hashes of one signup's attributes, each made when first asked for: so that a signup's keys by several policies cost its hashes once.
/// Of one signup, tenant and <see cref="KeyHasher"/>. Not thread-safe.
/// </summary>
public struct AttributeHashes
{
    /// <summary>One more than the highest number of an attribute, whose bits <see cref="_known"/> holds.</summary>
    private const int AttributesEnd = 32;

    private Hashes _hashes;
    private uint _known;

    /// <summary>Whether an attribute was hashed before; then its hash, none where the signup lacks the attribute.</summary>
    internal readonly bool TryGet(LinkAttribute attribute, out LinkKey hash)
    {
        hash = _hashes[(int)attribute];
        return (_known & (1u << (int)attribute)) != 0;
    }

    internal LinkKey Add(LinkAttribute attribute, LinkKey hash)
    {
        _known |= 1u << (int)attribute;
        return _hashes[(int)attribute] = hash;
    }

    [InlineArray(AttributesEnd)]
    private struct Hashes
    {
        private LinkKey _first;
    }
}

/// <summary>Derives a signup's link keys from its canonical signals: step 4 of the way of one signup. Pure and thread-safe.</summary>
public sealed class LinkKeyDerivation(KeyHasher hasher, IReadOnlyList<LinkageRule> rules)
{
    /// <summary>Characters of a canonical value up to which none is put together on the heap.</summary>
    private const int StackCharactersMax = 512;

    private readonly LinkageRule[] _rules = [.. rules];

    /// <summary>
    /// The keys of every rule whose attributes are all present; a key with a missing part does not exist (two unknowns are not alike).
    /// </summary>
    public DerivedKeys Derive(string tenant, Signup signup, SignupSignals signals)
    {
        var hashes = default(AttributeHashes);
        return Derive(tenant, signup, signals, ref hashes);
    }

    /// <summary>As above; takes hashes that were made for another policy, and leaves its own for the next.</summary>
    public DerivedKeys Derive(string tenant, Signup signup, SignupSignals signals, ref AttributeHashes hashes)
    {
        var parts = (stackalloc LinkKey[KeyKind.AttributesMax]);
        var text = (stackalloc char[StackCharactersMax]);
        var keys = new LinkKey[_rules.Length];
        var spreads = new int?[_rules.Length];
        foreach (var rule in _rules)
        {
            if (rule.Mode == RuleMode.Off) continue;
            var kind = rule.Kind;
            var complete = true;
            for (var i = 0; i < kind.Count && complete; i++)
            {
                parts[i] = Attribute(kind[i], tenant, signup, signals, ref hashes, text);
                complete = !parts[i].IsNone;
            }
            if (!complete) continue;
            var key = kind.Count == 1 ? parts[0] : KeyHasher.Combine(kind, parts[..kind.Count]);
            if (rule.Given is { } given)
            {
                var stratum = Attribute(given, tenant, signup, signals, ref hashes, text);
                if (stratum.IsNone) continue;
                key = KeyHasher.Combine(kind, key, stratum);
            }
            keys[rule.Index] = key;
            if (rule.Spread is { } spread && Attribute(spread, tenant, signup, signals, ref hashes, text) is { IsNone: false } value)
                spreads[rule.Index] = Half(value);
        }
        var domain = Attribute(LinkAttribute.Domain, tenant, signup, signals, ref hashes, text);
        return new DerivedKeys
        {
            Keys = keys,
            Spreads = spreads,
            Account = Account(tenant, signup, text),
            Organisation = domain.IsNone ? null : Half(domain),
        };
    }

    private LinkKey Attribute(LinkAttribute attribute, string tenant, Signup signup, SignupSignals signals, ref AttributeHashes hashes, Span<char> text)
    {
        if (hashes.TryGet(attribute, out var known)) return known;
        var value = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, text);
        try
        {
            Write(attribute, signup, signals, ref value);
            return hashes.Add(attribute, value.Text.IsEmpty ? default : hasher.Hash(tenant, KeyKind.Of(attribute), value.Text, IsCommon(attribute, signals)));
        }
        finally
        {
            value.Clear();
        }
    }

    /// <summary>The account a signup belongs to, for distinct counts: its account id, or the signup itself while it has none.</summary>
    private int Account(string tenant, Signup signup, Span<char> text)
    {
        var value = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, text);
        try
        {
            value.AppendLiteral(signup.Subject.AccountId is null ? "s:" : "a:");
            value.AppendFormatted(signup.Subject.AccountId ?? signup.SignupId);
            return Half(hasher.Hash(tenant, KeyKind.Of(LinkAttribute.Account), value.Text));
        }
        finally
        {
            value.Clear();
        }
    }

    private static int Half(LinkKey key) => (int)(uint)(key.Hash >> 32);

    /// <summary>Whether an attribute's values are shared by many and nobody's own.</summary>
    private static bool IsCommon(LinkAttribute attribute, SignupSignals signals) => attribute switch
    {
        LinkAttribute.Asn or LinkAttribute.Bin or LinkAttribute.UserAgent or LinkAttribute.NetworkClass or LinkAttribute.TimeZoneGeo or LinkAttribute.Ja4
            or LinkAttribute.TimeZone or LinkAttribute.Country => true,
        // The shape of a local part says nobody's name; a domain of one's own does.
        LinkAttribute.Skeleton => signals.Email.Value?.Free == true,
        _ => false,
    };

    /// <summary>Writes the canonical value of an attribute; nothing when missing. No attribute has an empty value.</summary>
    private static void Write(LinkAttribute attribute, Signup signup, SignupSignals signals, ref DefaultInterpolatedStringHandler value)
    {
        switch (attribute)
        {
            case LinkAttribute.Account:
                value.AppendFormatted(signup.Subject.AccountId);
                break;
            case LinkAttribute.Card:
                value.AppendFormatted(signup.Payment?.InstrumentFingerprint);
                break;
            case LinkAttribute.Device:
                value.AppendFormatted(signup.Device?.DeviceId);
                break;
            case LinkAttribute.Email:
                value.AppendFormatted(signals.Email.Value?.Canonical);
                break;
            case LinkAttribute.Phone:
                if (signals.Phone.Value is { Valid: true } phone) value.AppendFormatted(phone.E164);
                break;
            case LinkAttribute.Domain:
                value.AppendFormatted(Domain(signals));
                break;
            case LinkAttribute.Fingerprint:
                value.AppendFormatted(signup.Device?.Fingerprint);
                break;
            case LinkAttribute.Ip:
                value.AppendFormatted(signals.Ip.Value?.Line);
                break;
            case LinkAttribute.Net:
                value.AppendFormatted(signals.Ip.Value?.Net);
                break;
            case LinkAttribute.Asn:
                if (signals.Ip.Value?.Asn is { } asn) value.AppendFormatted(asn);
                break;
            case LinkAttribute.Skeleton:
                if (signals.Email.Value is not { } email) break;
                value.AppendFormatted(email.Skeleton);
                value.AppendLiteral("@");
                value.AppendFormatted(email.Domain);
                break;
            case LinkAttribute.Bin:
                if (signals.Payment.Value is not { Bin: { } bin } payment) break;
                value.AppendFormatted(bin);
                value.AppendLiteral("|");
                value.AppendFormatted(payment.IssuerCountry);
                break;
            case LinkAttribute.UserAgent:
                if (signals.Device.Value is not { Browser: { } browser } device) break;
                value.AppendFormatted(browser);
                value.AppendLiteral("|");
                if (device.BrowserMajor is { } major) value.AppendFormatted(major);
                value.AppendLiteral("|");
                value.AppendFormatted(device.Os);
                value.AppendLiteral("|");
                value.AppendFormatted(device.Language);
                value.AppendLiteral("|");
                value.AppendFormatted(device.TimeZone);
                break;
            case LinkAttribute.NetworkClass:
                value.AppendFormatted(signals.Ip.Value?.NetworkClass);
                break;
            case LinkAttribute.TimeZoneGeo:
                if (signals.Ip.Value?.TimeZoneMatches is { } matches) value.AppendLiteral(matches ? "match" : "mismatch");
                break;
            case LinkAttribute.Ja4:
                value.AppendFormatted(signup.Network?.Ja4);
                break;
            case LinkAttribute.TimeZone:
                value.AppendFormatted(signals.Device.Value?.TimeZone);
                break;
            case LinkAttribute.Identity:
                if (signup.ExternalIdentity is not { } identity) break;
                value.AppendFormatted(identity.Provider);
                value.AppendLiteral("|");
                value.AppendFormatted(identity.Subject);
                break;
            case LinkAttribute.Holder:
                Folded(signup.Payment?.HolderName, ref value);
                break;
            case LinkAttribute.Address:
                if (signup.Payment?.BillingAddress is not { Line1: { } line, PostalCode: { } code } address) break;
                Folded(line, ref value);
                value.AppendLiteral("|");
                Folded(code, ref value);
                value.AppendLiteral("|");
                value.AppendFormatted(address.Country);
                break;
            case LinkAttribute.Country:
                value.AppendFormatted(signals.Ip.Value?.Country);
                break;
            case LinkAttribute.Owner:
                if (Domain(signals) is { } own)
                {
                    value.AppendLiteral("@");
                    value.AppendFormatted(own);
                }
                else
                {
                    Surname(signup.Subject, ref value);
                }
                break;
            case LinkAttribute.Surname:
                Surname(signup.Subject, ref value);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "An attribute without a canonical value.");
        }
    }

    // Free-mail domains tie nobody together; an unknown kind (no list at hand) must not either.
    internal static string? Domain(SignupSignals signals) => signals.Email.Value is { Free: false, Relay: not true } email ? email.RegistrableDomain ?? email.Domain : null;

    private static void Surname(Subject subject, ref DefaultInterpolatedStringHandler value)
    {
        var name = subject.FamilyName.AsSpan().Trim();
        if (name.IsEmpty)
        {
            // Upper case neither makes nor takes a space, so the last word can be cut out before.
            var full = subject.FullName.AsSpan().Trim();
            name = full[(full.LastIndexOf(' ') + 1)..];
        }
        Upper(name, ref value);
    }

    private static void Folded(string? text, ref DefaultInterpolatedStringHandler value) => Upper(text.AsSpan().Trim(), ref value);

    private static void Upper(ReadOnlySpan<char> text, ref DefaultInterpolatedStringHandler value)
    {
        Span<char> upper = text.Length <= StackCharactersMax ? stackalloc char[StackCharactersMax] : new char[text.Length];
        text.ToUpperInvariant(upper);
        value.AppendFormatted(upper[..text.Length]);
    }
}
