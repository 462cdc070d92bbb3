namespace SignupGuard.Core.Lists;

/// <summary>What being on a list does. The numbers are stored.</summary>
public enum ListEffect : short
{
    /// <summary>Nothing by itself: a label, a reason without contribution, and a name that rules can read.</summary>
    Watch = 1,

    /// <summary>An outright denial.</summary>
    Deny = 2,

    /// <summary>An outright allow: above every denial, now and in the second look.</summary>
    Allow = 3,
}

/// <summary>What a list's entries are values of; a list has one type. The numbers are stored.</summary>
public enum ListType : short
{
    /// <summary>An address, in its canonical form: all aliases of one mailbox match.</summary>
    Email = 1,

    /// <summary>A domain of addresses, and every domain below it.</summary>
    Domain = 2,

    /// <summary>An address, or a network in CIDR notation; of several the longest counts.</summary>
    Ip = 3,

    /// <summary>The number of an autonomous system.</summary>
    Asn = 4,

    /// <summary>A device id.</summary>
    Device = 5,

    /// <summary>A payment instrument's fingerprint.</summary>
    Card = 6,

    /// <summary>The first 6 to 8 digits of cards; of several the longest counts.</summary>
    Bin = 7,

    /// <summary>A phone number.</summary>
    Phone = 8,

    /// <summary>The caller's account id.</summary>
    Account = 9,

    /// <summary>The country of the client's address.</summary>
    Country = 10,
}

/// <summary>One list.</summary>
/// <param name="Name">Unique in the tenant; what rules and reasons call it.</param>
public sealed record ListDefinition(long Id, string Name, ListEffect Effect, ListType Type);

/// <summary>An entry as the index keeps it.</summary>
/// <param name="ExpiresMs">Unix milliseconds: it holds for signups before; null for ever.</param>
/// <param name="Reason">One sentence for reviewers; null for none.</param>
public readonly record struct ListEntry(long List, ListKey Key, long? ExpiresMs, string? Reason);

/// <summary>One list that a signup is on, with the entry that put it there.</summary>
/// <param name="Reason">The entry's; null for none.</param>
public sealed record ListHit(string List, ListEffect Effect, ListType Type, ListKey Entry, string? Reason);
