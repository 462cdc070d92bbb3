using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class ReviewReading : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Decisions by the hour they were made in, added up by the worker of cases as it reads them: what dashboards read. First decisions by verdict and by
                -- score, in 20 bands of 5 percent; decisions that changed one.
                CREATE TABLE decision_hours (
                    tenant text NOT NULL CHECK (length(tenant) <= 128),
                    hour timestamptz NOT NULL,
                    allowed bigint NOT NULL,
                    reviewed bigint NOT NULL,
                    denied bigint NOT NULL,
                    changed bigint NOT NULL,
                    scores bigint[] NOT NULL CHECK (cardinality(scores) = 20),
                    PRIMARY KEY (tenant, hour)
                ) WITH (fillfactor = 50);

                -- Reason codes that spoke against signups, by the hour those were flagged in.
                CREATE TABLE decision_hour_reasons (
                    tenant text NOT NULL,
                    hour timestamptz NOT NULL,
                    code text NOT NULL,
                    signups bigint NOT NULL,
                    PRIMARY KEY (tenant, hour, code)
                ) WITH (fillfactor = 50);

                -- What the worker had read before there were hours.
                INSERT INTO decision_hours (tenant, hour, allowed, reviewed, denied, changed, scores)
                SELECT d.tenant, date_trunc('hour', d.decided_at, 'UTC'),
                       count(*) FILTER (WHERE d.revision = 1 AND d.verdict = 1), count(*) FILTER (WHERE d.revision = 1 AND d.verdict = 2),
                       count(*) FILTER (WHERE d.revision = 1 AND d.verdict = 3), count(*) FILTER (WHERE d.revision > 1),
                       (SELECT array_agg(coalesce(n.signups, 0) ORDER BY b.band) FROM generate_series(0, 19) AS b (band)
                        LEFT JOIN (SELECT least(floor(s.score / 5), 19)::integer AS band, count(*) AS signups FROM unnest(array_agg(d.score) FILTER (WHERE d.revision = 1)) AS s (score) GROUP BY 1) n
                          ON n.band = b.band)
                FROM decisions d JOIN case_cursors c ON c.tenant = d.tenant AND (d.xid, d.ordinal, d.revision) <= (c.xid, c.ordinal, c.revision)
                GROUP BY 1, 2;
                INSERT INTO decision_hour_reasons (tenant, hour, code, signups)
                SELECT d.tenant, date_trunc('hour', d.decided_at, 'UTC'), r->>'code', count(DISTINCT d.ordinal)
                FROM decisions d JOIN case_cursors c ON c.tenant = d.tenant AND (d.xid, d.ordinal, d.revision) <= (c.xid, c.ordinal, c.revision),
                     jsonb_array_elements(d.body->'reasons') AS r
                WHERE d.verdict > 1 AND coalesce((r->>'contribution')::double precision, 0) >= 0
                      AND NOT EXISTS (SELECT FROM decisions p WHERE p.tenant = d.tenant AND p.ordinal = d.ordinal AND p.recorded_at = d.recorded_at AND p.revision = d.revision - 1 AND p.verdict > 1)
                GROUP BY 1, 2, 3;

                -- Flagged signups by score, for searches; people's decisions by time, for statistics.
                CREATE INDEX case_signups_score ON case_signups (tenant, score DESC, ordinal DESC);
                CREATE INDEX case_events_resolved ON case_events (tenant, at) WHERE kind = 'resolved';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP INDEX case_events_resolved;
                DROP INDEX case_signups_score;
                DROP TABLE decision_hour_reasons, decision_hours;
                """);
        }
    }
}
