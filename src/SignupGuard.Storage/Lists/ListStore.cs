using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using SignupGuard.Core.Lists;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Lists;

/// <summary>
/// Lists and their entries. Every change of a tenant's lists takes the next revision, under the lock of the tenant's row in
/// <c>list_revisions</c>: revisions become visible in their order, so a replica that has seen one asks for those after it and misses none.
/// What is removed stays, marked, until every replica must have seen it (<see cref="PurgeAsync"/>).
/// </summary>
public sealed partial class ListStore(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Lists of a tenant.</summary>
    public const int ListsMax = 1_000;

    private const string ListColumns = "id, name, effect, type, description, version, entries, author, created_at, updated_at";

    /// <summary>The revision of each tenant's lists: cheap enough to ask every second.</summary>
    public async Task<IReadOnlyDictionary<string, long>> RevisionsAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT tenant, revision FROM list_revisions");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var revisions = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation)) revisions.Add(reader.GetString(0), reader.GetInt64(1));
        return revisions;
    }

    /// <summary>What changed after a revision; everything where that can't be told any more.</summary>
    /// <param name="after">0 for everything.</param>
    public async Task<ListDelta> ChangesAsync(string tenant, long after, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        long revision;
        bool fromScratch;
        await using (var command = new NpgsqlCommand("SELECT revision, purged FROM list_revisions WHERE tenant = $1", connection) { Parameters = { Sql.Value(tenant) } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (!await reader.ReadAsync(cancellation)) return new ListDelta(true, new ListChanges(0, [], [], [], []));
            revision = reader.GetInt64(0);
            fromScratch = after == 0 || after < reader.GetInt64(1);
        }
        if (fromScratch) after = 0;
        // What is committed after the revision was read may show as well; it is read again by the next call, which changes nothing.
        var (lists, removedLists) = (new List<ListDefinition>(), new List<long>());
        await using (var command = new NpgsqlCommand("SELECT id, name, effect, type, removed_at IS NOT NULL FROM lists WHERE tenant = $1 AND revision > $2", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(after) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                if (reader.GetBoolean(4)) removedLists.Add(reader.GetInt64(0));
                else lists.Add(new ListDefinition(reader.GetInt64(0), reader.GetString(1), (ListEffect)reader.GetInt16(2), (ListType)reader.GetInt16(3)));
            }
        }
        var (entries, removed) = (new List<ListEntry>(), new List<(long, ListKey)>());
        // A million entries have few reasons.
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(
            fromScratch
                ? "SELECT list, key, expires_at, reason, false FROM list_entries WHERE tenant = $1 AND removed_at IS NULL AND revision > $2"
                : "SELECT list, key, expires_at, reason, removed_at IS NOT NULL FROM list_entries WHERE tenant = $1 AND revision > $2",
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(after) },
            CommandTimeout = (int)LoadTimeMax.TotalSeconds,
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                var (list, key) = (reader.GetInt64(0), ListKey.From(reader.GetGuid(1)));
                if (reader.GetBoolean(4))
                {
                    removed.Add((list, key));
                    continue;
                }
                var reason = reader.IsDBNull(3) ? null : reader.GetString(3);
                if (reason is not null && !reasons.TryAdd(reason, reason)) reason = reasons[reason];
                entries.Add(new ListEntry(list, key, reader.IsDBNull(2) ? null : reader.GetFieldValue<DateTimeOffset>(2).ToUnixTimeMilliseconds(), reason));
            }
        }
        return new ListDelta(fromScratch, new ListChanges(revision, lists, removedLists, entries, removed));
    }

    /// <summary>For reading a million entries.</summary>
    private static readonly TimeSpan LoadTimeMax = TimeSpan.FromMinutes(5);

    /// <summary>All lists of a tenant, by name.</summary>
    public async Task<IReadOnlyList<StoredList>> AllAsync(string tenant, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"SELECT {ListColumns} FROM lists WHERE tenant = $1 AND removed_at IS NULL ORDER BY name COLLATE \"C\"");
        command.Parameters.Add(Sql.Value(tenant));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var lists = new List<StoredList>();
        while (await reader.ReadAsync(cancellation)) lists.Add(Read(reader));
        return lists;
    }

    /// <summary>Null when there is none of this name.</summary>
    public async Task<StoredList?> FindAsync(string tenant, string name, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        return await FindAsync(connection, tenant, name, cancellation);
    }

    /// <summary>Makes an empty list.</summary>
    /// <returns><see cref="ListChange.Done"/>, <see cref="ListChange.Exists"/> or <see cref="ListChange.TooMany"/>.</returns>
    public Task<ListChange> CreateAsync(ListDeed deed, string name, ListEffect effect, ListType type, string description, CancellationToken cancellation) =>
        ChangeAsync<ListChange>(deed, async change =>
        {
            if (await FindAsync(change.Connection, deed.Tenant, name, cancellation) is not null) return new ListChange.Exists();
            await using (var count = new NpgsqlCommand("SELECT count(*)::integer FROM lists WHERE tenant = $1 AND removed_at IS NULL", change.Connection) { Parameters = { Sql.Value(deed.Tenant) } })
            {
                if ((int)(await count.ExecuteScalarAsync(cancellation))! >= ListsMax) return new ListChange.TooMany();
            }
            await using var command = new NpgsqlCommand(
                $"""
                INSERT INTO lists (tenant, name, effect, type, description, version, revision, entries, author, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, 1, $6, 0, $7, $8, $8) RETURNING {ListColumns}
                """,
                change.Connection)
            {
                Parameters =
                {
                    Sql.Value(deed.Tenant),
                    Sql.Value(name),
                    Sql.Value((short)effect),
                    Sql.Value((short)type),
                    Sql.Value(description),
                    Sql.Value(change.Revision),
                    Sql.Value(deed.Actor),
                    Sql.Value(change.At),
                },
            };
            var list = await ReadOneAsync(command, cancellation);
            change.Record("list.created", name, new JsonObject
            {
                ["effect"] = Word(effect),
                ["type"] = Word(type),
                ["description"] = description,
            });
            return new ListChange.Done(list);
        }, cancellation);

    /// <summary>Changes what a list does and how it is described. Its type stays: entries are values of it.</summary>
    /// <param name="version">As read; another one is refused.</param>
    /// <param name="effect">Null to leave it.</param>
    /// <param name="description">Null to leave it.</param>
    /// <returns><see cref="ListChange.Done"/>, <see cref="ListChange.Unknown"/> or <see cref="ListChange.Outdated"/>.</returns>
    public Task<ListChange> UpdateAsync(ListDeed deed, string name, long version, ListEffect? effect, string? description, CancellationToken cancellation) =>
        ChangeAsync<ListChange>(deed, async change =>
        {
            if (await FindAsync(change.Connection, deed.Tenant, name, cancellation) is not { } before) return new ListChange.Unknown();
            if (before.Version != version) return new ListChange.Outdated(before.Version);
            await using var command = new NpgsqlCommand(
                $"UPDATE lists SET effect = $3, description = $4, version = version + 1, revision = $5, updated_at = $6 WHERE tenant = $1 AND id = $2 RETURNING {ListColumns}",
                change.Connection)
            {
                Parameters =
                {
                    Sql.Value(deed.Tenant),
                    Sql.Value(before.Id),
                    Sql.Value((short)(effect ?? before.Effect)),
                    Sql.Value(description ?? before.Description),
                    Sql.Value(change.Revision),
                    Sql.Value(change.At),
                },
            };
            var list = await ReadOneAsync(command, cancellation);
            change.Record("list.updated", name, new JsonObject
            {
                ["effect"] = new JsonArray(Word(before.Effect), Word(list.Effect)),
                ["description"] = new JsonArray(before.Description, list.Description),
            });
            return new ListChange.Done(list);
        }, cancellation);

    /// <summary>Removes a list with its entries. Its name is free again.</summary>
    /// <param name="version">As read; another one is refused.</param>
    /// <returns><see cref="ListChange.Done"/> with the list as it was, <see cref="ListChange.Unknown"/> or <see cref="ListChange.Outdated"/>.</returns>
    public Task<ListChange> DeleteAsync(ListDeed deed, string name, long version, CancellationToken cancellation) =>
        ChangeAsync<ListChange>(deed, async change =>
        {
            if (await FindAsync(change.Connection, deed.Tenant, name, cancellation) is not { } before) return new ListChange.Unknown();
            if (before.Version != version) return new ListChange.Outdated(before.Version);
            await using var command = new NpgsqlCommand("UPDATE lists SET removed_at = $3, revision = $4 WHERE tenant = $1 AND id = $2", change.Connection)
            {
                Parameters = { Sql.Value(deed.Tenant), Sql.Value(before.Id), Sql.Value(change.At), Sql.Value(change.Revision) },
            };
            await command.ExecuteNonQueryAsync(cancellation);
            change.Record("list.deleted", name, new JsonObject
            {
                ["effect"] = Word(before.Effect),
                ["type"] = Word(before.Type),
                ["entries"] = before.Entries,
            });
            return new ListChange.Done(before);
        }, cancellation);

    public static string Word(ListEffect effect) => effect.ToString().ToLowerInvariant();

    public static string Word(ListType type) => type.ToString().ToLowerInvariant();

    /// <summary>A change on its way: the transaction, its revision and its time, and what of it goes into the audit.</summary>
    private sealed class Change(NpgsqlConnection connection, long revision, DateTimeOffset at)
    {
        public NpgsqlConnection Connection { get; } = connection;

        public long Revision { get; } = revision;

        public DateTimeOffset At { get; } = at;

        public (string Action, string List, JsonObject What)? Recorded { get; private set; }

        /// <summary>Without it nothing is kept: the transaction is rolled back.</summary>
        public void Record(string action, string list, JsonObject what) => Recorded = (action, list, what);
    }

    /// <summary>Runs a change in a transaction under the tenant's next revision; commits it when it recorded what it did.</summary>
    private async Task<T> ChangeAsync<T>(ListDeed deed, Func<Change, Task<T>> run, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var change = await BeginAsync(connection, deed.Tenant, cancellation);
        var result = await run(change);
        if (change.Recorded is null) return result;
        await CompleteAsync(change, deed, cancellation);
        await transaction.CommitAsync(cancellation);
        return result;
    }

    /// <summary>The lock under which a tenant's lists change, until the transaction ends.</summary>
    private async Task<Change> BeginAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO list_revisions AS r (tenant, revision) VALUES ($1, 1) ON CONFLICT (tenant) DO UPDATE SET revision = r.revision + 1 RETURNING revision",
            connection)
        {
            Parameters = { Sql.Value(tenant) },
        };
        var revision = (long)(await command.ExecuteScalarAsync(cancellation))!;
        return new Change(connection, revision, Sql.Stored(clock.GetUtcNow()).ToUniversalTime());
    }

    /// <summary>The audit's entry, and a hint to the other replicas when it commits.</summary>
    private static async Task CompleteAsync(Change change, ListDeed deed, CancellationToken cancellation)
    {
        var (action, list, what) = change.Recorded ?? throw new InvalidOperationException("A change is recorded before it is completed.");
        await AuditLog.AppendAsync(change.Connection, Entry(deed, action, list, what), change.At, cancellation);
        await ChangeChannel.NotifyAsync(change.Connection, ChangeTopic.Lists, cancellation);
    }

    private static AuditEntry Entry(ListDeed deed, string action, string list, JsonObject what) => new()
    {
        Tenant = deed.Tenant,
        Actor = deed.Actor,
        Action = action,
        Subject = $"lists/{list}",
        Change = what.ToJsonString(),
    };

    /// <summary>For a deed that changes nothing.</summary>
    private async Task RecordAsync(ListDeed deed, string action, string list, JsonObject what, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await AuditLog.AppendAsync(connection, Entry(deed, action, list, what), clock.GetUtcNow(), cancellation);
    }

    private static async Task<StoredList?> FindAsync(NpgsqlConnection connection, string tenant, string name, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"SELECT {ListColumns} FROM lists WHERE tenant = $1 AND name = $2 AND removed_at IS NULL", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(name) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? Read(reader) : null;
    }

    private static async Task<StoredList> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return Read(reader);
    }

    private static StoredList Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetInt64(0),
        Name = reader.GetString(1),
        Effect = (ListEffect)reader.GetInt16(2),
        Type = (ListType)reader.GetInt16(3),
        Description = reader.GetString(4),
        Version = reader.GetInt64(5),
        Entries = reader.GetInt64(6),
        Author = reader.GetString(7),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(8),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(9),
    };
}
