using SignupGuard.Core.Binary;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// What of a signup can tie accounts together. The numbers are stored (in <see cref="KeyKind"/>): append only, never renumber. 1 to 31.
/// </summary>
public enum LinkAttribute : byte
{
    Account = 1,
    Card = 2,
    Device = 3,
    Email = 4,
    Phone = 5,
    Domain = 6,
    Fingerprint = 7,
    Ip = 8,
    Net = 9,
    Asn = 10,
    Skeleton = 11,
    Bin = 12,
    UserAgent = 13,
    NetworkClass = 14,
    TimeZoneGeo = 15,
    Ja4 = 16,
    TimeZone = 17,
    Identity = 18,
    Holder = 19,
    Address = 20,
    Surname = 21,

    /// <summary>Of the IP address.</summary>
    Country = 22,

    /// <summary>Whose an account is by its papers: the e-mail's own domain, else the surname.</summary>
    Owner = 23,
}

/// <summary>The kind of a link key: one attribute, or a composite of two or three. Packed in 15 bits for storage.</summary>
public readonly record struct KeyKind(short Code)
{
    /// <summary>Most attributes one key may combine.</summary>
    public const int AttributesMax = 3;

    public static KeyKind Of(params ReadOnlySpan<LinkAttribute> attributes)
    {
        if (attributes.Length is 0 or > AttributesMax)
            throw new ArgumentException($"A key combines 1 to {AttributesMax} attributes.", nameof(attributes));
        var code = 0;
        for (var i = 0; i < attributes.Length; i++) code |= (int)attributes[i] << (5 * i);
        return new KeyKind((short)code);
    }

    public int Count => Code >> 10 != 0 ? 3 : Code >> 5 != 0 ? 2 : 1;

    public LinkAttribute this[int index] => (LinkAttribute)((Code >> (5 * index)) & 31);

    /// <summary>"card", "fingerprint+bin": the name policies and reasons use.</summary>
    public override string ToString()
    {
        var first = Name(this[0]);
        return Count switch
        {
            1 => first,
            2 => $"{first}+{Name(this[1])}",
            _ => $"{first}+{Name(this[1])}+{Name(this[2])}",
        };
    }

    /// <summary>snake_case of the attribute ("user_agent").</summary>
    public static string Name(LinkAttribute attribute) => attribute switch
    {
        LinkAttribute.UserAgent => "user_agent",
        LinkAttribute.NetworkClass => "network_class",
        LinkAttribute.TimeZoneGeo => "time_zone_geo",
        LinkAttribute.TimeZone => "time_zone",
        _ => attribute.ToString().ToLowerInvariant(),
    };

    public static bool TryParse(string text, out KeyKind kind)
    {
        kind = default;
        var parts = text.Split('+', StringSplitOptions.TrimEntries);
        if (parts.Length is 0 or > AttributesMax) return false;
        Span<LinkAttribute> attributes = stackalloc LinkAttribute[AttributesMax];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!ByName.TryGetValue(parts[i], out attributes[i])) return false;
        }
        kind = Of(attributes[..parts.Length]);
        return true;
    }

    private static readonly Dictionary<string, LinkAttribute> ByName =
        Enum.GetValues<LinkAttribute>().ToDictionary(Name, a => a, StringComparer.Ordinal);
}

/// <summary>
/// An identifier as stored: HMAC-SHA-256 of tenant, kind and canonical value under the deployment's key, truncated to 128 bits.
/// Tenants never share a key unless they share <see cref="KeyHasher"/>'s scope.
/// </summary>
public readonly record struct LinkKey(UInt128 Hash)
{
    /// <summary>Whether this is no key at all: a signup lacks a part of it.</summary>
    public bool IsNone => Hash == UInt128.Zero;

    /// <summary>The hash is uniform already.</summary>
    public override int GetHashCode() => (int)(uint)Hash;

    public Guid ToGuid() => GuidBits.ToGuid(Hash);

    public static LinkKey From(Guid stored) => new(GuidBits.Of(stored));

    /// <summary>Low bits that a reference leaves out.</summary>
    public const int UnreferencedBits = 80;

    /// <summary>Opaque short reference for evidence: the first 48 bits.</summary>
    public override string ToString() => ((ulong)(Hash >> UnreferencedBits)).ToString("x12", System.Globalization.CultureInfo.InvariantCulture);
}
