using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Lists;

/// <summary>
/// Finds the lists that a signup is on, by the values it has anyway. A signup on none costs a few look-ups by hash and no memory, whatever the
/// lists hold. Pure and thread-safe.
/// </summary>
public sealed class ListMatcher(KeyHasher hasher)
{
    /// <summary>Parts of a domain that are looked for, from its end: no list is longer in practice, and a name of a hundred labels costs no more.</summary>
    private const int DomainLabelsMax = 8;

    /// <param name="keys">Of the signup; hashes are taken from them where the policy has a rule for them.</param>
    /// <param name="rules">That the keys were derived by.</param>
    public ListHits Match(ListIndex index, string tenant, Signup signup, SignupSignals signals, DerivedKeys keys, IReadOnlyList<LinkageRule> rules)
    {
        if (index.IsEmpty) return ListHits.None;
        var atMs = signup.OccurredAt.ToUnixTimeMilliseconds();
        List<ListHit>? found = null;
        Find(ListType.Email, LinkAttribute.Email, signals.Email.Value?.Canonical, ref found);
        Find(ListType.Device, LinkAttribute.Device, signup.Device?.DeviceId, ref found);
        Find(ListType.Card, LinkAttribute.Card, signup.Payment?.InstrumentFingerprint, ref found);
        Find(ListType.Phone, LinkAttribute.Phone, signals.Phone.Value?.E164, ref found);
        Find(ListType.Account, LinkAttribute.Account, signup.Subject.AccountId, ref found);
        if (index.Has(ListType.Asn) && signals.Ip.Value?.Asn is { } asn and >= 0 and <= uint.MaxValue) index.Find(ListType.Asn, ListKey.OfAsn((uint)asn), atMs, ref found);
        if (index.Has(ListType.Country) && signals.Ip.Value?.Country is { Length: 2 } country) index.Find(ListType.Country, ListKey.OfShortText(country.ToUpperInvariant()), atMs, ref found);
        if (index.Has(ListType.Domain) && signals.Email.Value is { } email) FindDomain(email, ref found);
        if (index.Has(ListType.Ip) && signup.Network?.Ip is { } ip) FindAddress(AddressSpace.Unwrap(ip), ref found);
        if (index.Has(ListType.Bin) && signals.Payment.Value?.Bin is { } bin) FindBin(bin, ref found);
        return found is null ? ListHits.None : ListHits.Of(found);

        void Find(ListType type, LinkAttribute attribute, string? value, ref List<ListHit>? found)
        {
            if (value is null || !index.Has(type)) return;
            index.Find(type, ListKey.Of(Derived(attribute) ?? hasher.Hash(tenant, KeyKind.Of(attribute), value)), atMs, ref found);
        }

        LinkKey? Derived(LinkAttribute attribute)
        {
            var kind = KeyKind.Of(attribute);
            for (var i = 0; i < rules.Count; i++)
            {
                if (rules[i].Kind == kind && rules[i].Given is null && keys.Keys[rules[i].Index] is { IsNone: false } key) return key;
            }
            return null;
        }

        void FindDomain(EmailSignals email, ref List<ListHit>? found)
        {
            var domain = email.Domain;
            // What the link key is of, where the address is at an own domain.
            var own = LinkKeyDerivation.Domain(signals) is { } linked ? (Text: linked, Key: Derived(LinkAttribute.Domain)) : default;
            // From the longest: the part with the most labels, but no more than bounded.
            var start = 0;
            for (var extra = domain.Count('.') + 1 - DomainLabelsMax; extra > 0; extra--) start = domain.IndexOf('.', start) + 1;
            while (true)
            {
                var dot = domain.IndexOf('.', start);
                if (dot < 0) return;
                var rest = domain.AsSpan(start);
                var key = own.Key is { } derived && rest.SequenceEqual(own.Text) ? derived : hasher.Hash(tenant, KeyKind.Of(LinkAttribute.Domain), rest);
                index.Find(ListType.Domain, ListKey.Of(key), atMs, ref found);
                start = dot + 1;
            }
        }

        void FindAddress(System.Net.IPAddress address, ref List<ListHit>? found)
        {
            var value = ListKey.Value(address);
            var is4 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
            // An IPv4 address is a line by itself, and has the line's key; a line of IPv6 is a network.
            var whole = (is4 && signals.Ip.Value is not null ? Derived(LinkAttribute.Ip) : null) ?? hasher.Hash(tenant, KeyKind.Of(LinkAttribute.Ip), address.ToString());
            index.Find(ListType.Ip, ListKey.OfAddress(whole), atMs, ref found);
            var lengths = index.NetworkLengths & (is4 ? UInt128.MaxValue << ListKey.MappedBits : UInt128.MaxValue);
            while (lengths != 0)
            {
                var length = 127 - (int)UInt128.LeadingZeroCount(lengths);
                lengths &= ~(UInt128.One << length);
                index.Find(ListType.Ip, ListKey.OfNetwork(value, length), atMs, ref found);
            }
        }

        void FindBin(string bin, ref List<ListHit>? found)
        {
            for (var length = Math.Min(bin.Length, 8); length >= 6; length--)
            {
                if ((index.BinLengths & (1 << length)) != 0) index.Find(ListType.Bin, ListKey.OfShortText(bin.AsSpan(0, length)), atMs, ref found);
            }
        }
    }
}
