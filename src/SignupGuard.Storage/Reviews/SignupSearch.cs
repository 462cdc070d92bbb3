using System.Globalization;
using Npgsql;
using SignupGuard.Core.Reviews;

namespace SignupGuard.Storage.Reviews;

/// <summary>The order of signups.</summary>
public enum SignupOrder
{
    Newest,
    Oldest,

    /// <summary>Highest first; only of signups that were flagged once.</summary>
    Score,
}

/// <summary>Which signups, in which order.</summary>
public sealed record SignupQuery
{
    public required SignupOrder Order { get; init; }

    /// <summary>Recorded then or later; null for any time.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Recorded before; null for any time.</summary>
    public DateTimeOffset? Until { get; init; }

    public IndexCondition Condition { get; init; } = new IndexCondition.All([]);
}

/// <summary>A place in an order of signups: after the signup of which it is.</summary>
public readonly record struct SignupPosition(long Ordinal, double Score);

/// <summary>A signup that was read.</summary>
/// <param name="Signup">Null when it fulfils the condition not, or is past its retention.</param>
/// <param name="Number">It was read as so manieth, from 1.</param>
public readonly record struct SearchedSignup(FoundSignup? Signup, SignupPosition Position, int Number);

/// <summary>Signups found from one place on.</summary>
/// <param name="AtEnd">Whether nothing comes after them.</param>
public sealed record SignupChunk(IReadOnlyList<SearchedSignup> Signups, bool AtEnd);

/// <summary>Finds signups, flagged or not, by the indexes there are for screening and for cases: so many reads a call and no more.</summary>
public sealed class SignupSearch(NpgsqlDataSource source)
{
    /// <summary>Signups that one statement reads to find those that fulfil a condition.</summary>
    public const int ScannedMax = 10_000;

    private const string Tenant = "$1";

    /// <summary>Replicas' clocks differ by less: signups are in the order of their ordinals, and up to this in that of their times.</summary>
    private static readonly TimeSpan ClockSkewMax = TimeSpan.FromHours(1);

    /// <summary>Fields of filters by the aliases of <see cref="FoundSignupRow.Select"/>.</summary>
    private static readonly IReadOnlyDictionary<string, FilterColumn> Columns = new Dictionary<string, FilterColumn>(CaseRow.FilterColumns, StringComparer.Ordinal)
    {
        ["signup.id"] = new FilterColumn.Text("i.signup_id"),
        ["signup.recorded_at"] = new FilterColumn.Time("i.recorded_at"),
        ["decision.verdict"] = new FilterColumn.Word("d.verdict", FilterWords.Verdicts),
        ["decision.score"] = new FilterColumn.Real("d.score"),
        ["decision.reasons"] = new FilterColumn.Texts(text => $"coalesce(d.body->'reasons' @> jsonb_build_array(jsonb_build_object('code', {text})), false)"),
        ["decision.labels"] = new FilterColumn.Texts(text => $"coalesce(jsonb_exists(d.body->'labels', {text}), false)"),
        ["cluster.id"] = new FilterColumn.Whole("m.cluster"),
    };

    /// <summary>
    /// Signups after a place, in their order; those that do not fulfil the condition are left out, but for the last that was read. Reads as few as it can: the
    /// members of a network that is asked for, the flagged where only they can fulfil it; else all, from there on.
    /// </summary>
    /// <param name="after">Null: from the first.</param>
    /// <param name="range">Ordinals to read, of <see cref="RangeAsync"/>.</param>
    public async Task<SignupChunk> FindAsync(string tenant, SignupQuery query, (long From, long Before) range, SignupPosition? after, int take, CancellationToken cancellation)
    {
        var parameters = new SqlParameters();
        await using var command = parameters.Command(source, FindSql(parameters, tenant, query, range, after, take));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var (found, atEnd) = (new List<SearchedSignup>(), true);
        while (await reader.ReadAsync(cancellation))
        {
            var at = FoundSignupRow.ColumnCount;
            var signup = reader.GetBoolean(at) ? FoundSignupRow.Read(reader) : null;
            found.Add(new SearchedSignup(signup, new SignupPosition(reader.GetInt64(0), reader.GetDouble(at + 1)), (int)reader.GetInt64(at + 2)));
            atEnd = reader.GetBoolean(at + 3);
        }
        return new SignupChunk(found, atEnd);
    }

    internal static string FindSql(SqlParameters parameters, string tenant, SignupQuery query, (long From, long Before) range, SignupPosition? after, int take)
    {
        parameters.Add(tenant);
        var condition = FilterSql.Of(query.Condition, Columns, parameters);
        var order = query.Order switch
        {
            SignupOrder.Newest => "i.ordinal DESC",
            SignupOrder.Oldest => "i.ordinal",
            SignupOrder.Score => "i.score DESC, i.ordinal DESC",
            _ => throw new ArgumentOutOfRangeException(nameof(query), query.Order, "No order."),
        };
        var from = Source(parameters, query);
        var where = $"i.tenant = {Tenant} AND i.ordinal >= {parameters.Add(range.From)} AND i.ordinal < {parameters.Add(range.Before)}";
        if (query.From is { } recordedFrom) where += $" AND i.recorded_at >= {parameters.Add(recordedFrom.ToUniversalTime())}";
        if (query.Until is { } recordedUntil) where += $" AND i.recorded_at < {parameters.Add(recordedUntil.ToUniversalTime())}";
        if (after is { } place)
        {
            where += query.Order switch
            {
                SignupOrder.Newest => $" AND i.ordinal < {parameters.Add(place.Ordinal)}",
                SignupOrder.Oldest => $" AND i.ordinal > {parameters.Add(place.Ordinal)}",
                _ => $" AND (i.score, i.ordinal) < ({parameters.Add(place.Score)}, {parameters.Add(place.Ordinal)})",
            };
        }
        var score = query.Order == SignupOrder.Score ? "i.score" : "0::double precision";
        var read = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            (SELECT i.ordinal, i.signup_id, i.recorded_at, {score} AS score, row_number() OVER w AS n, lead(i.ordinal) OVER w IS NULL AS last
             FROM {from} i WHERE {where} WINDOW w AS (ORDER BY {order}) ORDER BY {order} LIMIT {ScannedMax})
            """);
        // The last one read is told in any case: from there the search goes on, or ends.
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {FoundSignupRow.Select(read, $", ({condition}) IS TRUE, i.score, i.n, i.last")}
            WHERE ({condition}) OR i.n = {ScannedMax} OR i.last ORDER BY {order} LIMIT {take}
            """);
    }

    /// <summary>The ordinals of signups recorded in a time: looked for as in a book, for screening keeps no index by time.</summary>
    /// <returns>A little more than that: times are still to be compared.</returns>
    public Task<(long From, long Before)> RangeAsync(string tenant, DateTimeOffset? from, DateTimeOffset? until, CancellationToken cancellation) =>
        RangeAsync(tenant, from, until, ClockSkewMax, cancellation);

    /// <param name="slack">Added on both sides, for replicas whose clocks differ.</param>
    internal async Task<(long From, long Before)> RangeAsync(string tenant, DateTimeOffset? from, DateTimeOffset? until, TimeSpan slack, CancellationToken cancellation)
    {
        if (from is null && until is null) return (0, long.MaxValue);
        await using var connection = await source.OpenConnectionAsync(cancellation);
        return (
            from is { } start ? await FirstAsync(connection, tenant, Shifted(start, -slack), cancellation) : 0,
            until is { } end ? await FirstAsync(connection, tenant, Shifted(end, slack), cancellation) : long.MaxValue);
    }

    private static DateTimeOffset Shifted(DateTimeOffset time, TimeSpan by)
    {
        var ticks = time.UtcTicks + by.Ticks;
        return ticks < DateTimeOffset.MinValue.Ticks ? DateTimeOffset.MinValue : ticks > DateTimeOffset.MaxValue.Ticks ? DateTimeOffset.MaxValue : new DateTimeOffset(ticks, TimeSpan.Zero);
    }

    /// <summary>The first ordinal recorded at a time or later; the highest possible when there is none.</summary>
    private static async Task<long> FirstAsync(NpgsqlConnection connection, string tenant, DateTimeOffset time, CancellationToken cancellation)
    {
        var low = 0L;
        long high;
        await using (var command = new NpgsqlCommand("SELECT coalesce(max(ordinal), 0) + 1 FROM signup_ids WHERE tenant = $1", connection) { Parameters = { Screening.Sql.Value(tenant) } })
            high = (long)(await command.ExecuteScalarAsync(cancellation))!;
        var end = high;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            await using var command = new NpgsqlCommand("SELECT ordinal, recorded_at FROM signup_ids WHERE tenant = $1 AND ordinal >= $2 ORDER BY ordinal LIMIT 1", connection)
            {
                Parameters = { Screening.Sql.Value(tenant), Screening.Sql.Value(middle) },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (!await reader.ReadAsync(cancellation) || reader.GetFieldValue<DateTimeOffset>(1) >= time) high = middle;
            else low = reader.GetInt64(0) + 1;
        }
        return low == end ? long.MaxValue : low;
    }

    /// <summary>The fewest signups among which those that fulfil the condition are.</summary>
    private static string Source(SqlParameters parameters, SignupQuery query)
    {
        var condition = query.Condition;
        if (query.Order == SignupOrder.Score) return "case_signups";
        if (FilterSql.Wanted(condition, "signup.id") is { } ids)
            return $"(SELECT i.* FROM signup_ids i WHERE i.tenant = {Tenant} AND i.signup_id = ANY({parameters.Add(ids.Select(id => id.AsString()).ToArray())}))";
        if (FilterSql.Wanted(condition, "cluster.id") is { } clusters)
        {
            return $"""
                (SELECT i.* FROM cluster_members x JOIN LATERAL (SELECT i.* FROM signup_ids i WHERE i.tenant = {Tenant} AND i.ordinal = x.ordinal LIMIT 1) i ON true
                 WHERE x.tenant = {Tenant} AND x.cluster = ANY({parameters.Add(clusters.Select(cluster => cluster.AsInt()).ToArray())}))
                """;
        }
        return FilterSql.ImpliesFlagged(condition) ? "case_signups" : "signup_ids";
    }
}
