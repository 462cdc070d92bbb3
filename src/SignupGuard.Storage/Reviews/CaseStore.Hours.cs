using Npgsql;
using SignupGuard.Core.Decisions;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Decisions added up by the hour as the worker reads them, each once: dashboards read hours, not decisions.</summary>
public sealed partial class CaseStore
{
    private static async Task AddUpAsync(NpgsqlConnection connection, string tenant, IReadOnlyList<StreamedDecision> taken, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var hour in taken.GroupBy(item => ReviewStatistics.Hour(item.Decision.DecidedAt)).OrderBy(hour => hour.Key))
        {
            var first = hour.Where(item => item.PreviousVerdict is null).Select(item => item.Decision.Body).ToList();
            var scores = new long[ReviewStatistics.ScoreBands];
            foreach (var body in first) scores[Math.Min((int)(body.Score * ReviewStatistics.ScoreBands / 100), ReviewStatistics.ScoreBands - 1)]++;
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                INSERT INTO decision_hours AS h (tenant, hour, allowed, reviewed, denied, changed, scores) VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (tenant, hour) DO UPDATE SET
                    allowed = h.allowed + EXCLUDED.allowed, reviewed = h.reviewed + EXCLUDED.reviewed, denied = h.denied + EXCLUDED.denied, changed = h.changed + EXCLUDED.changed,
                    scores = ARRAY(SELECT was + added FROM unnest(h.scores, EXCLUDED.scores) WITH ORDINALITY AS u (was, added, band) ORDER BY band)
                """)
            {
                Parameters =
                {
                    Sql.Value(tenant),
                    Sql.Value(hour.Key),
                    Sql.Value(first.LongCount(body => body.Verdict == Verdict.Allow)),
                    Sql.Value(first.LongCount(body => body.Verdict == Verdict.Review)),
                    Sql.Value(first.LongCount(body => body.Verdict == Verdict.Deny)),
                    Sql.Value(hour.LongCount(item => item.PreviousVerdict is not null)),
                    Sql.Array(scores),
                },
            });
            // What speaks against a signup counts when that is flagged, at first or later.
            var codes = hour.Where(item => item.Decision.Body.Verdict > Verdict.Allow && item.PreviousVerdict is null or (short)Verdict.Allow)
                .SelectMany(item => item.Decision.Body.Reasons.Where(reason => reason.Contribution >= 0).Select(reason => reason.Code).Distinct()).CountBy(code => code).OrderBy(code => code.Key, StringComparer.Ordinal).ToList();
            if (codes.Count == 0) continue;
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                INSERT INTO decision_hour_reasons AS h (tenant, hour, code, signups) SELECT $1, $2, * FROM unnest($3, $4)
                ON CONFLICT (tenant, hour, code) DO UPDATE SET signups = h.signups + EXCLUDED.signups
                """)
            {
                Parameters =
                {
                    Sql.Value(tenant),
                    Sql.Value(hour.Key),
                    Sql.Array(codes.ConvertAll(code => code.Key)),
                    Sql.Array(codes.ConvertAll(code => (long)code.Value)),
                },
            });
        }
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}
