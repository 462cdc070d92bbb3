using SignupGuard.Core.Lists;

namespace SignupGuard.Storage.Lists;

/// <summary>A list as stored.</summary>
public sealed record StoredList
{
    public const int NameCharactersMax = 64;
    public const int DescriptionCharactersMax = 1_024;

    public required long Id { get; init; }

    public required string Name { get; init; }

    public required ListEffect Effect { get; init; }

    public required ListType Type { get; init; }

    public required string Description { get; init; }

    /// <summary>Counts the changes of the list itself, not those of its entries.</summary>
    public required long Version { get; init; }

    /// <summary>Entries, those included that have expired and are not cleared away yet.</summary>
    public required long Entries { get; init; }

    public required string Author { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public ListDefinition Definition => new(Id, Name, Effect, Type);
}

/// <summary>An entry to be stored. Of one value of a person <paramref name="Sealed"/>, of any other <paramref name="Value"/>.</summary>
/// <param name="Value">In the clear.</param>
/// <param name="Sealed">Encrypted, for export.</param>
public sealed record NewEntry(ListKey Key, string? Value, byte[]? Sealed, string? Reason, DateTimeOffset? ExpiresAt);

/// <summary>An entry as stored.</summary>
public sealed record StoredEntry(ListKey Key, string? Value, byte[]? Sealed, string? Reason, string Author, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>What adding entries did.</summary>
/// <param name="Added">Values that were not on the list.</param>
/// <param name="Changed">Values that were, with another reason or expiry.</param>
/// <param name="Unchanged">Values that were there just so.</param>
public readonly record struct EntriesAdded(long Added, long Changed, long Unchanged);

/// <summary>Who does something to a list, for the audit.</summary>
public sealed record ListDeed(string Tenant, string Actor);

/// <summary>What became of a change to a list.</summary>
public abstract record ListChange
{
    private ListChange()
    {
    }

    public sealed record Done(StoredList List) : ListChange;

    /// <summary>There is no list of this name.</summary>
    public sealed record Unknown : ListChange;

    /// <summary>The name is taken.</summary>
    public sealed record Exists : ListChange;

    /// <summary>The list has been changed since it was read.</summary>
    public sealed record Outdated(long Version) : ListChange;

    /// <summary>There are as many lists as may be.</summary>
    public sealed record TooMany : ListChange;
}

/// <summary>What a replica has to apply to its index.</summary>
/// <param name="FromScratch">It holds everything: to be applied to an empty index.</param>
public sealed record ListDelta(bool FromScratch, ListChanges Changes);
