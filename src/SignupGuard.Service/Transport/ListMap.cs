using Google.Protobuf.WellKnownTypes;
using SignupGuard.Service.Lists;
using SignupGuard.Storage.Lists;

namespace SignupGuard.Service.Transport;

/// <summary>The one map between stored lists and the contract's. Effects and types have the same numbers.</summary>
internal static class ListMap
{
    public static V1.List ToContract(StoredList list) => new()
    {
        Name = list.Name,
        Effect = (V1.ListEffect)list.Effect,
        Type = (V1.ListType)list.Type,
        Description = list.Description,
        Entries = list.Entries,
        Etag = Etag(list.Version),
        Author = list.Author,
        CreatedAt = Timestamp.FromDateTimeOffset(list.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(list.UpdatedAt),
    };

    /// <param name="opened">The value in the clear, where it is sealed.</param>
    public static V1.Entry ToContract(StoredList list, StoredEntry entry, string? opened)
    {
        var contract = new V1.Entry
        {
            EntryId = entry.Key.ToGuid().ToString(),
            Value = opened is null ? entry.Value : ListValueForms.Mask(list.Type, opened),
            Masked = opened is not null,
            Reason = entry.Reason ?? "",
            Author = entry.Author,
            CreatedAt = Timestamp.FromDateTimeOffset(entry.CreatedAt),
        };
        if (entry.ExpiresAt is { } expires) contract.ExpiresAt = Timestamp.FromDateTimeOffset(expires);
        return contract;
    }

    public static string Etag(long version) => version.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Null for what is no etag of this service; it matches nothing.</summary>
    public static long Version(string etag) => long.TryParse(etag, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var version) ? version : -1;
}
