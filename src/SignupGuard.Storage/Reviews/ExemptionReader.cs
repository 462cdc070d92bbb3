using Npgsql;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>An exemption of a key.</summary>
/// <param name="Kind">Null when the key is forgotten.</param>
/// <param name="EndedAt">Null while it is in force.</param>
public sealed record StoredExemption(
    long Id, LinkKey Key, KeyKind? Kind, string Reason, string Author, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? EndedAt, string? EndedBy);

/// <summary>Reads exemptions of keys.</summary>
public sealed class ExemptionReader(NpgsqlDataSource source)
{
    /// <summary>Newest first.</summary>
    /// <param name="before">Only those made before that one.</param>
    /// <param name="ended">Also those that ended.</param>
    public async Task<IReadOnlyList<StoredExemption>> ListAsync(string tenant, long before, bool ended, int max, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"""
            SELECT e.id, e.key, k.kind, e.reason, e.author, e.created_at, e.expires_at, e.ended_at, e.ended_by
            FROM key_exemptions e LEFT JOIN link_keys k USING (key)
            WHERE e.tenant = $1 AND e.id < $2{(ended ? "" : " AND e.ended_at IS NULL")} ORDER BY e.id DESC LIMIT $3
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(before));
        command.Parameters.Add(Sql.Value((long)max));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var exemptions = new List<StoredExemption>();
        while (await reader.ReadAsync(cancellation))
        {
            exemptions.Add(new StoredExemption(
                reader.GetInt64(0),
                LinkKey.From(reader.GetGuid(1)),
                await reader.IsDBNullAsync(2, cancellation) ? null : new KeyKind(reader.GetInt16(2)),
                reader.GetString(3),
                reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5),
                reader.GetFieldValue<DateTimeOffset>(6),
                await reader.IsDBNullAsync(7, cancellation) ? null : reader.GetFieldValue<DateTimeOffset>(7),
                await reader.IsDBNullAsync(8, cancellation) ? null : reader.GetString(8)));
        }
        return exemptions;
    }
}
