using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;

namespace SignupGuard.Core.Lists;

/// <summary>A value that an entry can have.</summary>
/// <param name="Text">Canonical, for people to read.</param>
/// <param name="IsPersonal">Of one person: never stored or shown in the clear.</param>
public sealed record ListValue(ListKey Key, string Text, bool IsPersonal);

/// <summary>Reads what people write into lists, by the code that reads signups: what is the same there is the same here. Thread-safe.</summary>
/// <param name="phone">A number in international form as E.164; null when it is none.</param>
/// <param name="country">Whether there is a country of this ISO 3166-1 alpha-2 code, in capitals.</param>
public sealed class ListValueReader(KeyHasher hasher, EmailProviders providers, Func<string, string?> phone, Func<string, bool> country)
{
    /// <summary>UTF-16 code units of a value as written.</summary>
    public const int CharactersMax = 512;

    /// <summary>Shortest prefix of an IPv4 network: what is wider is a slip of the pen that would decide about a continent.</summary>
    public const int Prefix4Min = 8;

    /// <summary>Shortest prefix of an IPv6 network.</summary>
    public const int Prefix6Min = 16;

    /// <summary>What values of a type look like, in words.</summary>
    public static string Form(ListType type) => type switch
    {
        ListType.Email => "An e-mail address.",
        ListType.Domain => "A domain of two labels or more (example.org); it stands for those below it too.",
        ListType.Ip => $"An IP address, or a network in CIDR notation of /{Prefix4Min} (IPv4) or /{Prefix6Min} (IPv6) and longer, without bits beyond its prefix.",
        ListType.Asn => "The number of an autonomous system (AS64500).",
        ListType.Bin => "6 to 8 digits.",
        ListType.Phone => "A phone number in international form (+4930123456).",
        ListType.Country => "An ISO 3166-1 alpha-2 code.",
        _ => $"1 to {CharactersMax} characters, none of them a control character.",
    };

    /// <returns>Null when the text is no value of the type: <see cref="Form"/> says what is.</returns>
    public ListValue? Read(string tenant, ListType type, string text)
    {
        if (text.Length > CharactersMax) return null;
        var trimmed = text.Trim();
        if (trimmed.Length == 0) return null;
        return type switch
        {
            ListType.Email => EmailDerivation.Canonicalise(trimmed, providers) is { } address ? Hashed(tenant, LinkAttribute.Email, address, isPersonal: true) : null,
            ListType.Domain => Domain(trimmed) is { } domain ? Hashed(tenant, LinkAttribute.Domain, domain, isPersonal: false) : null,
            ListType.Ip => trimmed.Contains('/', StringComparison.Ordinal) ? Network(tenant, trimmed) : Address(tenant, trimmed),
            ListType.Asn => Asn(trimmed) is { } number ? new ListValue(ListKey.OfAsn(number), string.Create(CultureInfo.InvariantCulture, $"AS{number}"), IsPersonal: false) : null,
            ListType.Device => Whole(tenant, LinkAttribute.Device, text),
            ListType.Card => Whole(tenant, LinkAttribute.Card, text),
            ListType.Account => Whole(tenant, LinkAttribute.Account, text),
            ListType.Bin => trimmed.Length is >= 6 and <= 8 && trimmed.All(char.IsAsciiDigit) ? new ListValue(ListKey.OfShortText(trimmed), trimmed, IsPersonal: false) : null,
            ListType.Phone => phone(trimmed) is { } number ? Hashed(tenant, LinkAttribute.Phone, number, isPersonal: true) : null,
            ListType.Country => trimmed.ToUpperInvariant() is var code && code.Length == 2 && code.All(char.IsAsciiLetterUpper) && country(code)
                ? new ListValue(ListKey.OfShortText(code), code, IsPersonal: false)
                : null,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No type of list."),
        };
    }

    private ListValue Hashed(string tenant, LinkAttribute attribute, string canonical, bool isPersonal) =>
        new(ListKey.Of(hasher.Hash(tenant, KeyKind.Of(attribute), canonical)), canonical, isPersonal);

    /// <summary>The caller's own ids are compared as they are, to the space.</summary>
    private ListValue? Whole(string tenant, LinkAttribute attribute, string text) => text.Any(char.IsControl) ? null : Hashed(tenant, attribute, text, isPersonal: true);

    private static string? Domain(string text)
    {
        var domain = text.AsSpan();
        if (domain.StartsWith("*.", StringComparison.Ordinal)) domain = domain[2..];
        else if (domain[0] == '@') domain = domain[1..];
        return DomainName.ToAscii(domain);
    }

    private static uint? Asn(string text)
    {
        var digits = text.StartsWith("AS", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private ListValue? Address(string tenant, string text) =>
        ParseAddress(text) is { } address && AddressSpace.Unwrap(address).ToString() is var canonical
            ? new ListValue(ListKey.OfAddress(hasher.Hash(tenant, KeyKind.Of(LinkAttribute.Ip), canonical)), canonical, IsPersonal: true)
            : null;

    private ListValue? Network(string tenant, string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (ParseAddress(text[..slash]) is not { } written || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)) return null;
        var address = AddressSpace.Unwrap(written);
        // A mapped network is the IPv4 one it means.
        if (written.AddressFamily != address.AddressFamily) prefix -= ListKey.MappedBits;
        var is4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (prefix < (is4 ? Prefix4Min : Prefix6Min) || prefix > (is4 ? 32 : 128)) return null;
        if (prefix == (is4 ? 32 : 128)) return Address(tenant, address.ToString());
        var (value, length) = (ListKey.Value(address), is4 ? prefix + ListKey.MappedBits : prefix);
        if ((value << length) != 0) return null;
        return new ListValue(ListKey.OfNetwork(value, length), string.Create(CultureInfo.InvariantCulture, $"{address}/{prefix}"), IsPersonal: false);
    }

    /// <summary>Only the four numbers of IPv4, not the short and octal forms the parser takes as well; no zone.</summary>
    private static IPAddress? ParseAddress(string text)
    {
        if (!IPAddress.TryParse(text, out var address) || text.Contains('%', StringComparison.Ordinal) || text.Contains('[', StringComparison.Ordinal)) return null;
        return address.AddressFamily != AddressFamily.InterNetwork || address.ToString() == text ? address : null;
    }
}
