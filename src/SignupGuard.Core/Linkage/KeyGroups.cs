namespace SignupGuard.Core.Linkage;

/// <summary>Independent groups of keys: what one change of disguise leaves behind. Stored as bits; append only.</summary>
[Flags]
public enum KeyGroups : byte
{
    None = 0,
    Identity = 1,
    Device = 2,
    Network = 4,
    Payment = 8,
}

public static class KeyGroupsOf
{
    /// <summary>The groups a kind of key belongs to: of a composite, those of all its parts.</summary>
    public static KeyGroups Kind(KeyKind kind)
    {
        var groups = KeyGroups.None;
        for (var i = 0; i < kind.Count; i++) groups |= Attribute(kind[i]);
        return groups;
    }

    private static KeyGroups Attribute(LinkAttribute attribute) => attribute switch
    {
        LinkAttribute.Card or LinkAttribute.Bin or LinkAttribute.Holder or LinkAttribute.Address => KeyGroups.Payment,
        LinkAttribute.Device or LinkAttribute.Fingerprint or LinkAttribute.UserAgent or LinkAttribute.Ja4 or LinkAttribute.TimeZone => KeyGroups.Device,
        LinkAttribute.Ip or LinkAttribute.Net or LinkAttribute.Asn or LinkAttribute.NetworkClass or LinkAttribute.TimeZoneGeo => KeyGroups.Network,
        _ => KeyGroups.Identity,
    };
}
