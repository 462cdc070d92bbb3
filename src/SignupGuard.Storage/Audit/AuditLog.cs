using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Audit;

/// <summary>
/// The record of what people did: written in the transaction of the deed, so that there is neither a deed without its entry nor an entry
/// without its deed. Entries are never changed or removed: the service's role may only insert and read them, and a trigger refuses the rest
/// to everybody.
/// </summary>
public sealed class AuditLog(NpgsqlDataSource source)
{
    /// <summary>A page of a thousand, and the one entry that shows there are more.</summary>
    public const int PageSizeMax = 1_001;

    /// <summary>Adds an entry in the connection's running transaction.</summary>
    public static async Task AppendAsync(NpgsqlConnection connection, AuditEntry entry, DateTimeOffset at, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("INSERT INTO audit (tenant, at, actor, action, subject, change, note) VALUES ($1, $2, $3, $4, $5, $6, $7)", connection)
        {
            Parameters =
            {
                Sql.Nullable(entry.Tenant, NpgsqlDbType.Text),
                Sql.Value(at.ToUniversalTime()),
                Sql.Value(entry.Actor),
                Sql.Value(entry.Action),
                Sql.Value(entry.Subject),
                Sql.Nullable(entry.Change, NpgsqlDbType.Jsonb),
                Sql.Nullable(entry.Note, NpgsqlDbType.Text),
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <inheritdoc cref="AppendAsync(NpgsqlConnection, AuditEntry, DateTimeOffset, CancellationToken)"/>
    public static Task AppendAsync(DbConnection connection, AuditEntry entry, DateTimeOffset at, CancellationToken cancellation) =>
        AppendAsync((NpgsqlConnection)connection, entry, at, cancellation);

    /// <summary>Entries, newest first.</summary>
    /// <param name="before">Only entries older than this id; null from the newest.</param>
    /// <param name="tenant">Entries of this tenant and those that concern all.</param>
    public async Task<IReadOnlyList<StoredAuditEntry>> ListAsync(string tenant, AuditFilter filter, long? before, int pageSize, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            """
            SELECT id, tenant, at, actor, action, subject, change::text, note FROM audit
            WHERE (tenant IS NULL OR tenant = $1) AND ($2::bigint IS NULL OR id < $2)
              AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4 OR starts_with(action, $4 || '.')) AND ($5::text IS NULL OR subject = $5)
              AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7)
            ORDER BY id DESC LIMIT $8
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Nullable(before, NpgsqlDbType.Bigint));
        command.Parameters.Add(Sql.Nullable(filter.Actor, NpgsqlDbType.Text));
        command.Parameters.Add(Sql.Nullable(filter.Action, NpgsqlDbType.Text));
        command.Parameters.Add(Sql.Nullable(filter.Subject, NpgsqlDbType.Text));
        command.Parameters.Add(Sql.Nullable(filter.From?.ToUniversalTime(), NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Sql.Nullable(filter.Until?.ToUniversalTime(), NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Sql.Value(Math.Clamp(pageSize, 1, PageSizeMax)));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var entries = new List<StoredAuditEntry>();
        while (await reader.ReadAsync(cancellation))
        {
            entries.Add(new StoredAuditEntry(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(2), new AuditEntry
            {
                Tenant = Text(reader, 1),
                Actor = reader.GetString(3),
                Action = reader.GetString(4),
                Subject = reader.GetString(5),
                Change = Text(reader, 6),
                Note = Text(reader, 7),
            }));
        }
        return entries;
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
