using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Cases that wait, by how long.</summary>
/// <param name="Under">Null for those beyond all bands.</param>
public sealed record WaitingBand(TimeSpan? Under, long Cases);

/// <summary>A reviewer's last words on cases.</summary>
/// <param name="Overturned">Of these: decided the other way later.</param>
public sealed record ReviewerCount(string Reviewer, long Resolved, long Allowed, long Denied, long Overturned);

/// <summary>Cases that people resolved and whose signup a rule spoke against: of the latest <see cref="ReviewStatistics.JudgedMax"/>.</summary>
public sealed record RuleCount(string Code, long Resolved, long Allowed);

public sealed record ReviewDayCount(DateTimeOffset Day, long Opened, long Resolved);

public sealed record ReviewCounts(
    IReadOnlyList<WaitingBand> Waiting, IReadOnlyList<ReviewerCount> Reviewers, IReadOnlyList<RuleCount> Rules, IReadOnlyList<ReviewDayCount> Days, double? ResolveSecondsMedian);

/// <summary>Decisions of an hour or a day.</summary>
public sealed record DecisionCount(DateTimeOffset At, long Allowed, long Reviewed, long Denied, long Changed);

/// <param name="Scores">First decisions by score, bands of 5 percent.</param>
/// <param name="Reasons">Of flagged signups, commonest first.</param>
/// <param name="Grown">Networks with the members that came, those that grew most first.</param>
/// <param name="Judged">Flagged signups of this time of which is known what they are; <paramref name="FoundHonest"/> of them were honest.</param>
public sealed record OverviewCounts(
    IReadOnlyList<DecisionCount> Points,
    IReadOnlyList<long> Scores,
    IReadOnlyList<(string Code, long Signups)> Reasons,
    IReadOnlyList<ClusterFacts> Grown,
    long Judged,
    long FoundHonest);

/// <summary>Counts for dashboards: of cases by their indexes, of decisions by the hours the worker of cases adds up.</summary>
public sealed class ReviewStatistics(NpgsqlDataSource source, SignupSearch search, TimeProvider clock)
{
    /// <summary>Cases, or decisions of people, that one number is counted of at most: the latest.</summary>
    public const int CountedMax = 200_000;

    /// <summary>Resolved cases whose decisions are read for the rules: the latest.</summary>
    public const int JudgedMax = 20_000;

    public const int ReasonsMax = 20;

    public const int ClustersMax = 20;

    public const int ScoreBands = 20;

    /// <summary>Up to here points are hours, beyond days.</summary>
    private static readonly TimeSpan HoursMax = TimeSpan.FromDays(3);

    /// <summary>All states, for an index that begins with them.</summary>
    private static readonly string AnyState = string.Join(", ", Enum.GetValues<CaseState>().Select(state => (short)state));

    private static readonly TimeSpan[] Bands = [TimeSpan.FromHours(1), TimeSpan.FromHours(4), TimeSpan.FromDays(1), TimeSpan.FromDays(3), TimeSpan.FromDays(7)];

    /// <summary>How the review went between two times; what waits, waits now.</summary>
    public async Task<ReviewCounts> ReviewsAsync(string tenant, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var waiting = await WaitingAsync(connection, tenant, cancellation);
        var reviewers = await ReviewersAsync(connection, tenant, from, until, cancellation);
        var rules = await RulesAsync(connection, tenant, from, until, cancellation);
        var (days, median) = await DaysAsync(connection, tenant, from, until, cancellation);
        return new ReviewCounts(waiting, reviewers, rules, days, median);
    }

    private async Task<List<WaitingBand>> WaitingAsync(NpgsqlConnection connection, string tenant, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT width_bucket(-extract(epoch FROM c.opened_at), $2) AS band, count(*)
            FROM (SELECT c.opened_at FROM cases c WHERE c.tenant = $1 AND c.state IN ({(short)CaseState.Open}, {(short)CaseState.Escalated}) AND c.merged_into IS NULL LIMIT {CountedMax}) c
            GROUP BY band
            """,
            connection);
        command.Parameters.Add(Sql.Value(tenant));
        var now = clock.GetUtcNow();
        // Ascending: the youngest have the least of "before now".
        command.Parameters.Add(Sql.Array(Bands.Select(band => -(decimal)(now - band).ToUnixTimeMilliseconds() / 1_000).ToArray()));
        var counts = new long[Bands.Length + 1];
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) counts[reader.GetInt32(0)] = reader.GetInt64(1);
        return [.. counts.Select((count, band) => new WaitingBand(band < Bands.Length ? Bands[band] : null, count))];
    }

    private static async Task<List<ReviewerCount>> ReviewersAsync(NpgsqlConnection connection, string tenant, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellation)
    {
        // A network decided in chunks, or a case decided twice by one person, counts once: by the last word.
        await using var command = new NpgsqlCommand(
            $"""
            WITH said AS (
                SELECT DISTINCT ON (e.case_id, e.actor) e.id, e.case_id, e.actor, split_part(e.detail, ' ', 1) AS word
                FROM (SELECT e.* FROM case_events e WHERE e.tenant = $1 AND e.kind = 'resolved' AND e.actor IS NOT NULL AND e.at >= $2 AND e.at < $3 ORDER BY e.at DESC LIMIT {CountedMax}) e
                ORDER BY e.case_id, e.actor, e.id DESC),
            judged AS (
                SELECT s.*, (c.resolution IS NOT NULL AND s.word IN ('allow', 'deny') AND s.word <> CASE c.resolution WHEN {(short)CaseResolution.Allow} THEN 'allow' ELSE 'deny' END) AS overturned
                FROM said s LEFT JOIN cases c ON c.tenant = $1 AND c.id = s.case_id)
            SELECT actor, count(*), count(*) FILTER (WHERE word = 'allow'), count(*) FILTER (WHERE word = 'deny'), count(*) FILTER (WHERE overturned)
            FROM judged GROUP BY actor ORDER BY count(*) DESC, actor
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(from.ToUniversalTime()), Sql.Value(until.ToUniversalTime()) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var reviewers = new List<ReviewerCount>();
        while (await reader.ReadAsync(cancellation)) reviewers.Add(new ReviewerCount(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4)));
        return reviewers;
    }

    private const string Resolved =
        "SELECT c.* FROM cases c WHERE c.tenant = $1 AND c.resolved_at IS NOT NULL AND c.merged_into IS NULL AND c.resolved_at >= $2 AND c.resolved_at < $3 ORDER BY c.resolved_at DESC";

    private static async Task<List<RuleCount>> RulesAsync(NpgsqlConnection connection, string tenant, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT r.code, count(*), count(*) FILTER (WHERE c.resolution = {(short)CaseResolution.Allow})
            FROM (SELECT c.* FROM ({Resolved}) c WHERE c.resolved_by IS NOT NULL LIMIT {JudgedMax}) c
            JOIN signup_ids i ON i.tenant = $1 AND i.ordinal = c.ordinal
            JOIN {DecisionRow.Latest("d.body", "i", $" AND d.cause NOT IN ('{DecisionCause.Review}', '{DecisionCause.Outcome}')")} ON true
            CROSS JOIN LATERAL (
                -- What is stored leaves out a contribution of 0, as outright rules have.
                SELECT DISTINCT r->>'code' AS code FROM jsonb_array_elements(d.body->'reasons') AS r WHERE coalesce((r->>'contribution')::double precision, 0) >= 0) r
            GROUP BY r.code ORDER BY count(*) DESC, r.code
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(from.ToUniversalTime()), Sql.Value(until.ToUniversalTime()) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rules = new List<RuleCount>();
        while (await reader.ReadAsync(cancellation)) rules.Add(new RuleCount(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2)));
        return rules;
    }

    private static async Task<(List<ReviewDayCount> Days, double? Median)> DaysAsync(NpgsqlConnection connection, string tenant, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellation)
    {
        NpgsqlBatchCommand Command(string sql) => new(sql) { Parameters = { Sql.Value(tenant), Sql.Value(from.ToUniversalTime()), Sql.Value(until.ToUniversalTime()) } };
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Command(
                    $"""
                    SELECT date_trunc('day', c.opened_at, 'UTC') AS day, count(*)
                    FROM (SELECT c.opened_at FROM cases c WHERE c.tenant = $1 AND c.state = ANY(ARRAY[{AnyState}]::smallint[]) AND c.merged_into IS NULL AND c.opened_at >= $2 AND c.opened_at < $3
                          LIMIT {CountedMax}) c
                    GROUP BY day
                    """),
                Command($"SELECT date_trunc('day', c.resolved_at, 'UTC') AS day, count(*) FROM ({Resolved} LIMIT {CountedMax}) c GROUP BY day"),
                Command($"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.resolved_at - c.opened_at)::double precision) FROM ({Resolved} LIMIT {CountedMax}) c"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var days = new SortedDictionary<DateTimeOffset, (long Opened, long Resolved)>();
        while (await reader.ReadAsync(cancellation)) days[reader.GetFieldValue<DateTimeOffset>(0)] = (reader.GetInt64(1), 0);
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var day = reader.GetFieldValue<DateTimeOffset>(0);
            days[day] = days.GetValueOrDefault(day) with { Resolved = reader.GetInt64(1) };
        }
        await reader.NextResultAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return ([.. days.Select(day => new ReviewDayCount(day.Key, day.Value.Opened, day.Value.Resolved))], await reader.IsDBNullAsync(0, cancellation) ? null : reader.GetDouble(0));
    }

    /// <summary>What came in and what was decided between two times, rounded outwards to whole hours, or days where points are days.</summary>
    public async Task<OverviewCounts> OverviewAsync(string tenant, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellation)
    {
        var unit = until - from <= HoursMax ? TimeSpan.FromHours(1) : TimeSpan.FromDays(1);
        (from, until) = (Floor(from, unit), Ceiling(until, unit));
        var range = await search.RangeAsync(tenant, from, until, TimeSpan.Zero, cancellation);
        await using var connection = await source.OpenConnectionAsync(cancellation);
        NpgsqlBatchCommand InTime(string sql) => new(sql) { Parameters = { Sql.Value(tenant), Sql.Value(from), Sql.Value(until) } };
        NpgsqlBatchCommand InRange(string sql) => new(sql) { Parameters = { Sql.Value(tenant), Sql.Value(range.From), Sql.Value(range.Before) } };
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                InTime("SELECT hour, allowed, reviewed, denied, changed, scores FROM decision_hours WHERE tenant = $1 AND hour >= $2 AND hour < $3"),
                InTime($"SELECT code, sum(signups)::bigint FROM decision_hour_reasons WHERE tenant = $1 AND hour >= $2 AND hour < $3 GROUP BY code ORDER BY 2 DESC, 1 LIMIT {ReasonsMax}"),
                InRange(
                    $"""
                    SELECT {ClusterRow.Columns}
                    FROM (SELECT m.cluster, count(*) AS grown
                          FROM (SELECT cluster FROM cluster_members WHERE tenant = $1 AND ordinal >= $2 AND ordinal < $3 ORDER BY ordinal DESC LIMIT {CountedMax}) m
                          GROUP BY m.cluster ORDER BY grown DESC, m.cluster LIMIT {ClustersMax}) g
                    JOIN clusters c ON c.tenant = $1 AND c.id = g.cluster ORDER BY g.grown DESC, g.cluster
                    """),
                InRange(
                    $"""
                    SELECT count(*), count(*) FILTER (WHERE l.label = {(short)Label.Good})
                    FROM (SELECT l.* FROM labels l WHERE l.tenant = $1 AND l.ordinal >= $2 AND l.ordinal < $3 AND l.label <> {(short)Label.None} ORDER BY l.ordinal DESC LIMIT {CountedMax}) l
                    JOIN case_signups s ON s.tenant = l.tenant AND s.ordinal = l.ordinal
                    """),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        // Times without a decision are told too: a gap is a fact.
        var points = new SortedDictionary<DateTimeOffset, DecisionCount>();
        for (var at = from; at < until; at += unit) points[at] = new DecisionCount(at, 0, 0, 0, 0);
        var scores = new long[ScoreBands];
        while (await reader.ReadAsync(cancellation))
        {
            var at = Floor(reader.GetFieldValue<DateTimeOffset>(0), unit);
            var known = points[at];
            points[at] = new DecisionCount(at, known.Allowed + reader.GetInt64(1), known.Reviewed + reader.GetInt64(2), known.Denied + reader.GetInt64(3), known.Changed + reader.GetInt64(4));
            var bands = reader.GetFieldValue<long[]>(5);
            for (var band = 0; band < ScoreBands; band++) scores[band] += bands[band];
        }
        await reader.NextResultAsync(cancellation);
        var reasons = new List<(string, long)>();
        while (await reader.ReadAsync(cancellation)) reasons.Add((reader.GetString(0), reader.GetInt64(1)));
        await reader.NextResultAsync(cancellation);
        var grown = new List<ClusterFacts>();
        while (await reader.ReadAsync(cancellation)) grown.Add(ClusterRow.Read(reader).Facts);
        await reader.NextResultAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new OverviewCounts([.. points.Values], scores, reasons, grown, reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>The hour a time is in, by its start.</summary>
    internal static DateTimeOffset Hour(DateTimeOffset time) => Floor(time, TimeSpan.FromHours(1));

    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan unit) => new(time.UtcTicks - (time.UtcTicks % unit.Ticks), TimeSpan.Zero);

    private static DateTimeOffset Ceiling(DateTimeOffset time, TimeSpan unit)
    {
        var floor = Floor(time, unit);
        return floor.UtcTicks == time.UtcTicks ? floor : floor + unit;
    }
}
