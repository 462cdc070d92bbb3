using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Reads single cases with what belongs to them.</summary>
public sealed class CaseReader(NpgsqlDataSource source)
{
    public const int NotesMax = 1_000;

    /// <summary>The latest of them: a case has more only when very many were folded into it.</summary>
    public const int EventsMax = 1_000;

    public const int MembersMax = 100;

    /// <summary>By its id, or one that was folded into it. Null when there is none.</summary>
    public Task<StoredCase?> GetAsync(string tenant, Guid id, CancellationToken cancellation) => FindAsync(
        """
        c.id = coalesce((SELECT f.merged_into FROM cases f WHERE f.tenant = $1 AND f.id = $2), $2)
        """,
        tenant,
        Sql.Value(id),
        cancellation);

    /// <summary>The one an outward code's signup is in. Null when no flagged signup has it.</summary>
    /// <param name="code">In capitals, without spaces and hyphens.</param>
    public Task<StoredCase?> OfCodeAsync(string tenant, string code, CancellationToken cancellation) => FindAsync(
        "c.id = (SELECT s.case_id FROM case_signups s WHERE s.tenant = $1 AND s.outward_code = $2 ORDER BY s.ordinal DESC LIMIT 1)", tenant, Sql.Value(code), cancellation);

    /// <summary>The one a signup is in. Null when it was never flagged, or is none.</summary>
    public Task<StoredCase?> OfSignupAsync(string tenant, string signupId, CancellationToken cancellation) => FindAsync(
        "c.id = (SELECT s.case_id FROM case_signups s WHERE s.tenant = $1 AND s.signup_id = $2 LIMIT 1)", tenant, Sql.Value(signupId), cancellation);

    private async Task<StoredCase?> FindAsync(string condition, string tenant, NpgsqlParameter value, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"SELECT {CaseRow.Columns} FROM cases c WHERE c.tenant = $1 AND {condition}");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(value);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? CaseRow.Read(reader, 0) : null;
    }

    /// <summary>Oldest first, the latest <see cref="NotesMax"/>.</summary>
    public async Task<IReadOnlyList<StoredNote>> NotesAsync(string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"SELECT id, author, at, text FROM case_notes WHERE tenant = $1 AND case_id = $2 ORDER BY at DESC, id DESC LIMIT {NotesMax}");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(id));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var notes = new List<StoredNote>();
        while (await reader.ReadAsync(cancellation)) notes.Add(new StoredNote(reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3)));
        notes.Reverse();
        return notes;
    }

    /// <summary>Oldest first, the latest <see cref="EventsMax"/>.</summary>
    public async Task<IReadOnlyList<StoredCaseEvent>> EventsAsync(string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"SELECT at, actor, kind, detail FROM case_events WHERE tenant = $1 AND case_id = $2 ORDER BY id DESC LIMIT {EventsMax}");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(id));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var events = new List<StoredCaseEvent>();
        while (await reader.ReadAsync(cancellation))
        {
            events.Add(new StoredCaseEvent(
                reader.GetFieldValue<DateTimeOffset>(0),
                await reader.IsDBNullAsync(1, cancellation) ? null : reader.GetString(1),
                reader.GetString(2),
                await reader.IsDBNullAsync(3, cancellation) ? null : reader.GetString(3)));
        }
        events.Reverse();
        return events;
    }

    /// <summary>Flagged signups of a case, highest score first, at most <see cref="MembersMax"/>.</summary>
    public async Task<IReadOnlyList<FoundSignup>> MembersAsync(string tenant, Guid id, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            FoundSignupRow.Select($"(SELECT s.tenant, s.ordinal, s.signup_id, s.recorded_at, s.score FROM case_signups s WHERE s.tenant = $1 AND s.case_id = $2 ORDER BY s.score DESC, s.ordinal LIMIT {MembersMax})")
            + " ORDER BY i.score DESC, i.ordinal");
        command.Parameters.Add(Sql.Value(tenant));
        command.Parameters.Add(Sql.Value(id));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = new List<FoundSignup>();
        while (await reader.ReadAsync(cancellation))
        {
            if (FoundSignupRow.Read(reader) is { } member) members.Add(member);
        }
        return members;
    }
}
