using System.Globalization;
using Npgsql;
using SignupGuard.Cel;
using SignupGuard.Core.Reviews;

namespace SignupGuard.Storage.Reviews;

/// <summary>The order of cases. Ties are in the order they were opened.</summary>
public enum CaseOrder
{
    /// <summary>Appeals, then by priority, then the oldest.</summary>
    Queue,
    Newest,
    Oldest,
    Score,
    Size,
}

/// <summary>Which cases, in which order.</summary>
public sealed record CaseQuery
{
    /// <summary>Any of these; at least one.</summary>
    public required IReadOnlyList<CaseState> States { get; init; }

    public required CaseOrder Order { get; init; }

    /// <summary>Only those this reviewer holds; null for all.</summary>
    public string? ClaimedBy { get; init; }

    public IndexCondition Condition { get; init; } = new IndexCondition.All([]);
}

/// <summary>A place in any order of cases: after the case of which it is.</summary>
public readonly record struct CasePosition(bool Appealed, int Priority, double Score, long Signups, DateTimeOffset OpenedAt, Guid Id)
{
    public static CasePosition Of(StoredCase stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        return new CasePosition(stored.Appealed, stored.Priority, stored.Score, stored.Signups, stored.OpenedAt, stored.Id);
    }
}

/// <summary>Cases found from one place on.</summary>
/// <param name="Reached">The last place looked at; null when there is nothing after what was found.</param>
/// <param name="Scanned">Cases read at least: most are none that were asked for.</param>
public sealed record CaseChunk(IReadOnlyList<StoredCase> Cases, CasePosition? Reached, int Scanned);

/// <summary>Finds cases by their indexes, so many reads a call and no more.</summary>
public sealed class CaseSearch(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Cases that one statement reads to find those that fulfil a condition.</summary>
    public const int ScannedMax = 25_000;

    /// <summary>Counting stops here.</summary>
    public const int CountedMax = 100_000;

    private const string Tenant = "$1";

    /// <summary>Fields of filters as <c>cases</c> has them, aliased <c>c</c>.</summary>
    private static readonly IReadOnlyDictionary<string, FilterColumn> Columns = new Dictionary<string, FilterColumn>(CaseRow.FilterColumns, StringComparer.Ordinal)
    {
        ["signup.id"] = new FilterColumn.Text("c.signup_id"),
        ["signup.recorded_at"] = new FilterColumn.Time($"(SELECT s.recorded_at FROM case_signups s WHERE s.tenant = {Tenant} AND s.ordinal = c.ordinal)"),
        ["decision.verdict"] = new FilterColumn.Word("c.verdict", FilterWords.Verdicts),
        ["decision.score"] = new FilterColumn.Real("c.score"),
        ["decision.reasons"] = new FilterColumn.Texts(text => $"(c.reason_codes @> ARRAY[{text}])"),
        ["decision.labels"] = new FilterColumn.Texts(text => $"(c.labels @> ARRAY[{text}])"),
        ["cluster.id"] = new FilterColumn.Whole("c.cluster"),
    };

    /// <summary>The condition for cases aliased <c>c</c>, where $1 is the tenant.</summary>
    internal static string Condition(IndexCondition condition, SqlParameters parameters) => FilterSql.Of(condition, Columns, parameters);

    /// <summary>
    /// Cases after a place, in their order. Reads each state's index from there on, and stops at <paramref name="take"/> found or <see cref="ScannedMax"/> read:
    /// then <see cref="CaseChunk.Reached"/> says where to go on.
    /// </summary>
    /// <param name="after">Null: from the first.</param>
    public async Task<CaseChunk> FindAsync(string tenant, CaseQuery query, CasePosition? after, int take, CancellationToken cancellation)
    {
        var parameters = new SqlParameters();
        var (sql, scan) = FindSql(parameters, tenant, query, after, take, clock.GetUtcNow());
        await using var command = parameters.Command(source, sql);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var (found, rows, scanned) = (new List<StoredCase>(), 0, 0);
        while (await reader.ReadAsync(cancellation))
        {
            rows++;
            var stored = CaseRow.Read(reader, 0);
            var number = (int)reader.GetInt64(CaseRow.ColumnCount);
            scanned = Math.Max(scanned, number);
            if (reader.GetBoolean(CaseRow.ColumnCount + 1)) found.Add(stored);
            // The last that its index was read to: what sorts after it may have others before it.
            if (number == scan) return new CaseChunk(found, CasePosition.Of(stored), ScannedMax);
        }
        return new CaseChunk(found, rows < take ? null : CasePosition.Of(found[^1]), scanned);
    }

    internal static (string Sql, int Scan) FindSql(SqlParameters parameters, string tenant, CaseQuery query, CasePosition? after, int take, DateTimeOffset now)
    {
        parameters.Add(tenant);
        var order = Keys(query.Order);
        var orderSql = string.Join(", ", order.Select(key => $"{key.Column}{(key.Descending ? " DESC" : "")}"));
        var condition = Condition(query.Condition, parameters);
        var within = Within(parameters, query.Condition);
        if (query.ClaimedBy is { } holder) within += $" AND c.claimed_by = {parameters.Add(holder)} AND c.claimed_until > {parameters.Add(now.ToUniversalTime())}";
        var places = after is { } place ? After(parameters, order, place) : ["true"];
        var scan = ScannedMax / (query.States.Count * places.Count);
        var branches = query.States.Distinct().SelectMany(
            _ => places,
            (state, beyond) => string.Create(
                CultureInfo.InvariantCulture,
                $"""
                (SELECT {CaseRow.Columns}, c.n, ({condition}) IS TRUE AS found FROM (
                    SELECT c.*, row_number() OVER (ORDER BY {orderSql}) AS n FROM cases c
                    WHERE c.tenant = {Tenant} AND c.state = {(short)state} AND c.merged_into IS NULL AND {beyond}{within} ORDER BY {orderSql} LIMIT {scan}) c
                WHERE ({condition}) OR c.n = {scan} ORDER BY {orderSql} LIMIT {take})
                """));
        return (string.Create(CultureInfo.InvariantCulture, $"SELECT * FROM (\n{string.Join("\nUNION ALL\n", branches)}) c ORDER BY {orderSql} LIMIT {take}"), scan);
    }

    /// <summary>How many wait; of all without a condition, by the indexes alone.</summary>
    /// <param name="caller">Whose own to count; null for nobody's.</param>
    public async Task<CaseCounts> CountAsync(string tenant, IndexCondition condition, string? caller, CancellationToken cancellation)
    {
        var parameters = new SqlParameters();
        await using var command = parameters.Command(source, CountSql(parameters, tenant, condition, caller, clock.GetUtcNow()));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new CaseCounts(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), await reader.IsDBNullAsync(5, cancellation) ? null : reader.GetFieldValue<DateTimeOffset>(5));
    }

    internal static string CountSql(SqlParameters parameters, string tenant, IndexCondition condition, string? caller, DateTimeOffset at)
    {
        parameters.Add(tenant);
        var waiting = $"c.tenant = {Tenant} AND c.state IN ({(short)CaseState.Open}, {(short)CaseState.Escalated}) AND c.merged_into IS NULL";
        var (now, mine) = (parameters.Add(at.ToUniversalTime()), parameters.Add(caller ?? ""));
        return condition is IndexCondition.All { Operands.Count: 0 }
            ? $"""
              SELECT (SELECT count(*) FROM (SELECT FROM cases c WHERE c.tenant = {Tenant} AND c.state = {(short)CaseState.Open} AND c.merged_into IS NULL LIMIT {CountedMax}) c),
                     (SELECT count(*) FROM (SELECT FROM cases c WHERE c.tenant = {Tenant} AND c.state = {(short)CaseState.Escalated} AND c.merged_into IS NULL LIMIT {CountedMax}) c),
                     (SELECT count(*) FROM (SELECT FROM cases c WHERE {waiting} AND c.claimed_by IS NOT NULL AND c.claimed_until > {now} LIMIT {CountedMax}) c),
                     (SELECT count(*) FROM (SELECT FROM cases c WHERE {waiting} AND c.claimed_by = {mine} AND c.claimed_until > {now} LIMIT {CountedMax}) c),
                     (SELECT count(*) FROM (SELECT FROM cases c WHERE {waiting} AND c.appealed LIMIT {CountedMax}) c),
                     least((SELECT min(c.opened_at) FROM cases c WHERE c.tenant = {Tenant} AND c.state = {(short)CaseState.Open} AND c.merged_into IS NULL),
                           (SELECT min(c.opened_at) FROM cases c WHERE c.tenant = {Tenant} AND c.state = {(short)CaseState.Escalated} AND c.merged_into IS NULL))
              """
            : $"""
              SELECT count(*) FILTER (WHERE c.state = {(short)CaseState.Open}), count(*) FILTER (WHERE c.state = {(short)CaseState.Escalated}),
                     count(*) FILTER (WHERE c.claimed_until > {now}), count(*) FILTER (WHERE c.claimed_by = {mine} AND c.claimed_until > {now}),
                     count(*) FILTER (WHERE c.appealed), min(c.opened_at)
              FROM (SELECT c.* FROM cases c WHERE {waiting}{Within(parameters, condition)} ORDER BY c.state, c.opened_at LIMIT {CountedMax}) c WHERE {Condition(condition, parameters)}
              """;
    }

    private readonly record struct SortKey(string Column, bool Descending, Func<SqlParameters, CasePosition, string> Value);

    private static SortKey[] Keys(CaseOrder order)
    {
        SortKey opened = new("c.opened_at", order == CaseOrder.Newest, static (parameters, place) => parameters.Add(place.OpenedAt.ToUniversalTime()));
        SortKey id = new("c.id", order == CaseOrder.Newest, static (parameters, place) => parameters.Add(place.Id));
        return order switch
        {
            CaseOrder.Queue =>
            [
                new("c.appealed", true, static (parameters, place) => parameters.Add(place.Appealed)),
                new("c.priority", true, static (parameters, place) => parameters.Add(place.Priority)),
                opened,
                id,
            ],
            CaseOrder.Score => [new("c.score", true, static (parameters, place) => parameters.Add(place.Score)), opened, id],
            CaseOrder.Size => [new("c.signups", true, static (parameters, place) => parameters.Add(place.Signups)), opened, id],
            CaseOrder.Newest or CaseOrder.Oldest => [opened, id],
            _ => throw new ArgumentOutOfRangeException(nameof(order), order, "No order."),
        };
    }

    /// <summary>
    /// What comes after a place, as conditions that each are one range of the index: columns go up and down, so it is no single range.
    /// </summary>
    private static List<string> After(SqlParameters parameters, SortKey[] order, CasePosition place)
    {
        var values = order.Select(key => key.Value(parameters, place)).ToArray();
        var (opened, id) = (order.Length - 2, order.Length - 1);
        var places = new List<string>();
        for (var differs = 0; differs <= opened; differs++)
        {
            var symbol = order[differs].Descending ? "<" : ">";
            var equal = string.Concat(Enumerable.Range(0, differs).Select(at => $"{order[at].Column} = {values[at]} AND "));
            places.Add(equal + (differs == opened
                ? $"({order[opened].Column}, {order[id].Column}) {symbol} ({values[opened]}, {values[id]})"
                : $"{order[differs].Column} {symbol} {values[differs]}"));
        }
        return places;
    }

    /// <summary>What leads to few cases at once, and is asked before any is read.</summary>
    private static string Within(SqlParameters parameters, IndexCondition condition)
    {
        var within = "";
        if (FilterSql.Wanted(condition, "cluster.id") is { } clusters) within += $" AND c.cluster = ANY({parameters.Add(clusters.Select(cluster => cluster.AsInt()).ToArray())})";
        if (FilterSql.Wanted(condition, "signup.id") is { } signups)
        {
            within += $" AND c.id IN (SELECT s.case_id FROM case_signups s WHERE s.tenant = {Tenant} AND s.signup_id = ANY({parameters.Add(signups.Select(signup => signup.AsString()).ToArray())}))";
        }
        return within;
    }
}

/// <summary>Cases that wait. Each number stops at <see cref="CaseSearch.CountedMax"/>.</summary>
/// <param name="OldestOpenedAt">Null when none waits.</param>
public sealed record CaseCounts(long Open, long Escalated, long Claimed, long Mine, long Appealed, DateTimeOffset? OldestOpenedAt);
