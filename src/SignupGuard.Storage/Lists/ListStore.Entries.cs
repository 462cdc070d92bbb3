using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Lists;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Lists;

/// <summary>What is on the lists.</summary>
public sealed partial class ListStore
{
    /// <summary>UTF-16 code units of an entry's reason.</summary>
    public const int ReasonCharactersMax = ListHits.TextCharactersMax;

    /// <summary>Entries named in the audit of one change; of an import only their number is.</summary>
    private const int AuditedEntriesMax = 50;

    /// <summary>Entries read at a time for an export.</summary>
    private const int ExportPage = 5_000;

    private const string EntryColumns = "key, value, sealed, reason, author, created_at, expires_at";

    /// <summary>Puts new entries where they belong; what is there just so stays untouched. Of one key at most one.</summary>
    private static string Merge(string rows) =>
        $"""
        INSERT INTO list_entries AS e (tenant, list, key, value, sealed, reason, author, created_at, expires_at, revision)
        SELECT $1, $2, n.key, n.value, n.sealed, n.reason, $3, $4, n.expires_at, $5 FROM {rows} ORDER BY n.key
        ON CONFLICT (tenant, list, key) DO UPDATE SET
            value = EXCLUDED.value, sealed = EXCLUDED.sealed, reason = EXCLUDED.reason, author = EXCLUDED.author, created_at = EXCLUDED.created_at,
            expires_at = EXCLUDED.expires_at, revision = EXCLUDED.revision, removed_at = NULL
        WHERE e.removed_at IS NOT NULL OR e.reason IS DISTINCT FROM EXCLUDED.reason OR e.expires_at IS DISTINCT FROM EXCLUDED.expires_at
        """;

    /// <summary>Entries of a list in the order of their keys, which is no order for people.</summary>
    /// <param name="only">Only the entry of this key; null for all.</param>
    /// <param name="after">The last key of the page before; null for the first.</param>
    public async Task<IReadOnlyList<StoredEntry>> EntriesAsync(string tenant, long list, ListKey? only, ListKey? after, int pageSize, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"""
            SELECT {EntryColumns} FROM list_entries
            WHERE tenant = $1 AND list = $2 AND removed_at IS NULL AND ($3::uuid IS NULL OR key = $3) AND ($4::uuid IS NULL OR key > $4)
            ORDER BY key LIMIT $5
            """);
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(list));
        command.Parameters.Add(Sql.Nullable(only?.ToGuid(), NpgsqlDbType.Uuid));
        command.Parameters.Add(Sql.Nullable(after?.ToGuid(), NpgsqlDbType.Uuid));
        command.Parameters.Add(Sql.Value(pageSize));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var entries = new List<StoredEntry>();
        while (await reader.ReadAsync(cancellation))
        {
            entries.Add(new StoredEntry(
                ListKey.From(reader.GetGuid(0)),
                reader.IsDBNull(1) ? null : reader.GetString(1),
                reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2),
                reader.IsDBNull(3) ? null : reader.GetString(3),
                reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5),
                reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6)));
        }
        return entries;
    }

    /// <summary>All entries, page by page: one that is added or removed meanwhile may be among them or not.</summary>
    public async IAsyncEnumerable<StoredEntry> AllEntriesAsync(string tenant, long list, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ListKey? after = null;
        while (true)
        {
            var page = await EntriesAsync(tenant, list, null, after, ExportPage, cancellation);
            foreach (var entry in page) yield return entry;
            if (page.Count < ExportPage) yield break;
            after = page[^1].Key;
        }
    }

    /// <summary>Records that somebody takes a list's values out.</summary>
    public Task ExportingAsync(ListDeed deed, StoredList list, CancellationToken cancellation) =>
        RecordAsync(deed, "list.exported", list.Name, new JsonObject { ["entries"] = list.Entries }, cancellation);

    /// <summary>Adds entries, or gives values that are on the list another reason and expiry.</summary>
    /// <param name="entries">Of one value given twice the last counts.</param>
    /// <returns>Null when the list is gone.</returns>
    public Task<EntriesAdded?> AddAsync(ListDeed deed, StoredList list, IReadOnlyList<NewEntry> entries, CancellationToken cancellation) =>
        ChangeAsync<EntriesAdded?>(deed, async change =>
        {
            if (!await IsThereAsync(change.Connection, deed.Tenant, list, cancellation)) return null;
            var distinct = entries.Reverse().DistinctBy(entry => entry.Key).ToArray();
            NpgsqlParameter[] rows =
            [
                Sql.Array(distinct.Select(entry => entry.Key.ToGuid()).ToArray()),
                Sql.Array(distinct.Select(entry => entry.Value!).ToArray()),
                Sql.Array(distinct.Select(entry => entry.Sealed!).ToArray()),
                Sql.Array(distinct.Select(entry => entry.Reason!).ToArray()),
                Sql.Array(distinct.Select(entry => entry.ExpiresAt?.ToUniversalTime()).ToArray()),
            ];
            var added = await MergeAsync(
                change, deed, list, "unnest($6::uuid[], $7::text[], $8::bytea[], $9::text[], $10::timestamptz[]) AS n (key, value, sealed, reason, expires_at)", rows, distinct.Length, cancellation);
            change.Record("list.entries_added", list.Name, new JsonObject
            {
                ["added"] = added.Added,
                ["changed"] = added.Changed,
                ["entries"] = Named(distinct.Select(entry => entry.Key)),
            });
            return added;
        }, cancellation);

    /// <summary>Takes entries off the list. They are gone for every signup from now on, also for the second looks of earlier ones.</summary>
    /// <returns>How many were on it; null when the list is gone.</returns>
    public Task<long?> RemoveAsync(ListDeed deed, StoredList list, IReadOnlyCollection<ListKey> keys, CancellationToken cancellation) =>
        ChangeAsync<long?>(deed, async change =>
        {
            if (!await IsThereAsync(change.Connection, deed.Tenant, list, cancellation)) return null;
            await using var command = new NpgsqlCommand(
                "UPDATE list_entries SET removed_at = $4, revision = $5 WHERE tenant = $1 AND list = $2 AND key = ANY($3) AND removed_at IS NULL",
                change.Connection)
            {
                Parameters =
                {
                    Sql.Value(deed.Tenant),
                    Sql.Value(list.Id),
                    Sql.Array(keys.Select(key => key.ToGuid()).ToArray()),
                    Sql.Value(change.At),
                    Sql.Value(change.Revision),
                },
            };
            var removed = (long)await command.ExecuteNonQueryAsync(cancellation);
            if (removed == 0) return removed;
            await CountAsync(change.Connection, deed.Tenant, list.Id, -removed, cancellation);
            change.Record("list.entries_removed", list.Name, new JsonObject
            {
                ["removed"] = removed,
                ["entries"] = Named(keys),
            });
            return removed;
        }, cancellation);

    /// <summary>Begins an import. Nothing of it shows before it is completed, and nothing remains of one that is not.</summary>
    public async Task<ListImport> BeginImportAsync(CancellationToken cancellation)
    {
        var connection = await source.OpenConnectionAsync(cancellation);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellation);
            await using (var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    // The caller's file comes at the caller's pace, and much of it is merged at once.
                    new NpgsqlBatchCommand($"SET LOCAL statement_timeout = {(long)ListImport.TimeMax.TotalMilliseconds}"),
                    new NpgsqlBatchCommand("CREATE TEMPORARY TABLE new_list_entries (line bigint, key uuid, value text, sealed bytea, reason text, expires_at timestamptz) ON COMMIT DROP"),
                },
            })
            {
                await batch.ExecuteNonQueryAsync(cancellation);
            }
            var rows = await connection.BeginBinaryImportAsync("COPY new_list_entries (line, key, value, sealed, reason, expires_at) FROM STDIN (FORMAT BINARY)", cancellation);
            rows.Timeout = ListImport.TimeMax;
            return new ListImport(this, connection, transaction, rows);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Merges what was written; the commit is the caller's.</summary>
    internal async Task<EntriesAdded?> CompleteImportAsync(NpgsqlConnection connection, ListDeed deed, StoredList list, CancellationToken cancellation)
    {
        var change = await BeginAsync(connection, deed.Tenant, cancellation);
        if (!await IsThereAsync(connection, deed.Tenant, list, cancellation)) return null;
        await using (var command = new NpgsqlCommand(
            "CREATE TEMPORARY TABLE last_list_entries ON COMMIT DROP AS SELECT DISTINCT ON (key) * FROM new_list_entries ORDER BY key, line DESC; ANALYZE last_list_entries",
            connection))
        {
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(cancellation);
        }
        long distinct;
        await using (var command = new NpgsqlCommand("SELECT count(*) FROM last_list_entries", connection)) distinct = (long)(await command.ExecuteScalarAsync(cancellation))!;
        var added = await MergeAsync(change, deed, list, "last_list_entries AS n", [], distinct, cancellation);
        change.Record("list.imported", list.Name, new JsonObject
        {
            ["added"] = added.Added,
            ["changed"] = added.Changed,
            ["unchanged"] = added.Unchanged,
        });
        await CompleteAsync(change, deed, cancellation);
        return added;
    }

    private static async Task<EntriesAdded> MergeAsync(
        Change change,
        ListDeed deed,
        StoredList list,
        string rows,
        NpgsqlParameter[] parameters,
        long distinct,
        CancellationToken cancellation)
    {
        long there, touched;
        // All parts of the statement see what was there before it. One look-up a row, whatever the planner thinks of a table filled a moment ago.
        await using (var command = new NpgsqlCommand(
            $"""
            WITH there AS (
                SELECT count(*) AS n FROM {rows} WHERE (SELECT e.removed_at IS NULL FROM list_entries e WHERE e.tenant = $1 AND e.list = $2 AND e.key = n.key)),
            merged AS ({Merge(rows)} RETURNING 1)
            SELECT (SELECT n FROM there), (SELECT count(*) FROM merged)
            """,
            change.Connection))
        {
            // The statement's own limit is the transaction's.
            command.CommandTimeout = 0;
            command.Parameters.Add(Sql.Value(deed.Tenant));
            command.Parameters.Add(Sql.Value(list.Id));
            command.Parameters.Add(Sql.Value(deed.Actor));
            command.Parameters.Add(Sql.Value(change.At));
            command.Parameters.Add(Sql.Value(change.Revision));
            command.Parameters.AddRange(parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            await reader.ReadAsync(cancellation);
            (there, touched) = (reader.GetInt64(0), reader.GetInt64(1));
        }
        var added = distinct - there;
        if (added != 0) await CountAsync(change.Connection, deed.Tenant, list.Id, added, cancellation);
        return new EntriesAdded(added, touched - added, distinct - touched);
    }

    /// <summary>Whether the list is still the one that the values were read for.</summary>
    private static async Task<bool> IsThereAsync(NpgsqlConnection connection, string tenant, StoredList list, CancellationToken cancellation) =>
        await FindAsync(connection, tenant, list.Name, cancellation) is { } now && now.Id == list.Id;

    private static async Task CountAsync(NpgsqlConnection connection, string tenant, long list, long added, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("UPDATE lists SET entries = entries + $3 WHERE tenant = $1 AND id = $2", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(list), Sql.Value(added) },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static JsonArray Named(IEnumerable<ListKey> keys) => [.. keys.Take(AuditedEntriesMax).Select(key => JsonValue.Create(key.ToGuid().ToString()))];
}

/// <summary>An import under way, in a transaction of its own.</summary>
public sealed class ListImport : IAsyncDisposable
{
    /// <summary>Longest that one may take.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(30);

    private readonly ListStore _store;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly NpgsqlBinaryImporter _rows;
    private long _line;

    internal ListImport(ListStore store, NpgsqlConnection connection, NpgsqlTransaction transaction, NpgsqlBinaryImporter rows) =>
        (_store, _connection, _transaction, _rows) = (store, connection, transaction, rows);

    /// <summary>Adds an entry; of one value given twice the last counts.</summary>
    public async Task AddAsync(NewEntry entry, CancellationToken cancellation)
    {
        await _rows.StartRowAsync(cancellation);
        await _rows.WriteAsync(_line++, NpgsqlDbType.Bigint, cancellation);
        await _rows.WriteAsync(entry.Key.ToGuid(), NpgsqlDbType.Uuid, cancellation);
        await WriteAsync(entry.Value, NpgsqlDbType.Text, cancellation);
        await WriteAsync(entry.Sealed, NpgsqlDbType.Bytea, cancellation);
        await WriteAsync(entry.Reason, NpgsqlDbType.Text, cancellation);
        if (entry.ExpiresAt is { } expires) await _rows.WriteAsync(expires.ToUniversalTime(), NpgsqlDbType.TimestampTz, cancellation);
        else await _rows.WriteNullAsync(cancellation);
    }

    /// <summary>Puts all of them on the list at once.</summary>
    /// <returns>Null when the list is gone.</returns>
    public async Task<EntriesAdded?> CompleteAsync(ListDeed deed, StoredList list, CancellationToken cancellation)
    {
        await _rows.CompleteAsync(cancellation);
        await _rows.CloseAsync(cancellation);
        var added = await _store.CompleteImportAsync(_connection, deed, list, cancellation);
        if (added is not null) await _transaction.CommitAsync(cancellation);
        return added;
    }

    /// <summary>Ends the transaction; what was not completed is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await _rows.DisposeAsync();
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private Task WriteAsync<T>(T? value, NpgsqlDbType type, CancellationToken cancellation)
        where T : class => value is null ? _rows.WriteNullAsync(cancellation) : _rows.WriteAsync(value, type, cancellation);
}
