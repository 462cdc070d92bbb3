using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class Reviews : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Flagged accounts for reviewers: one case for each flagged signup, or one for its network. What lists show and filter by stands beside it, of the
                -- member with the highest score. A case that was folded into another stays, and says into which. State: 1 open, 2 escalated, 3 resolved, 4 denied.
                CREATE TABLE cases (
                    tenant text NOT NULL CHECK (length(tenant) <= 128),
                    id uuid NOT NULL,
                    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
                    revision bigint NOT NULL DEFAULT 1 CHECK (revision >= 1),
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    cluster bigint,
                    signups bigint NOT NULL CHECK (signups >= 0),
                    verdict smallint NOT NULL CHECK (verdict BETWEEN 1 AND 3),
                    score double precision NOT NULL,
                    priority integer NOT NULL CHECK (priority BETWEEN 0 AND 100),
                    appealed boolean NOT NULL DEFAULT false,
                    reason_codes text[] NOT NULL,
                    labels text[] NOT NULL,
                    country text,
                    network_class text,
                    channel text,
                    product text,
                    opened_at timestamptz NOT NULL,
                    updated_at timestamptz NOT NULL,
                    claimed_by text CHECK (length(claimed_by) BETWEEN 1 AND 128),
                    claimed_until timestamptz,
                    resolution smallint CHECK (resolution BETWEEN 1 AND 2),
                    resolved_by text CHECK (length(resolved_by) BETWEEN 1 AND 128),
                    resolved_at timestamptz,
                    resolution_reason text CHECK (length(resolution_reason) <= 64),
                    merged_into uuid,
                    PRIMARY KEY (tenant, id),
                    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
                ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
                CREATE UNIQUE INDEX cases_cluster ON cases (tenant, cluster) WHERE cluster IS NOT NULL AND merged_into IS NULL;
                CREATE INDEX cases_queue ON cases (tenant, state, appealed DESC, priority DESC, opened_at, id) WHERE merged_into IS NULL;
                CREATE INDEX cases_opened ON cases (tenant, state, opened_at, id) WHERE merged_into IS NULL;
                CREATE INDEX cases_score ON cases (tenant, state, score DESC, opened_at, id) WHERE merged_into IS NULL;
                CREATE INDEX cases_size ON cases (tenant, state, signups DESC, opened_at, id) WHERE merged_into IS NULL;
                CREATE INDEX cases_claimed ON cases (tenant, claimed_by, claimed_until) WHERE claimed_by IS NOT NULL;
                CREATE INDEX cases_resolved ON cases (tenant, resolved_at) WHERE resolved_at IS NOT NULL AND merged_into IS NULL;
                CREATE INDEX cases_reason_codes ON cases USING gin (reason_codes);
                CREATE INDEX cases_labels ON cases USING gin (labels);

                -- Signups that were flagged once, and the case each is in. Decided: by a person or an outcome, 0 not, 1 allowed, 2 denied.
                CREATE TABLE case_signups (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    case_id uuid NOT NULL,
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    recorded_at timestamptz NOT NULL,
                    revision integer NOT NULL CHECK (revision >= 1),
                    verdict smallint NOT NULL CHECK (verdict BETWEEN 1 AND 3),
                    score double precision NOT NULL,
                    reason_codes text[] NOT NULL,
                    labels text[] NOT NULL,
                    country text,
                    network_class text,
                    channel text,
                    product text,
                    outward_code text NOT NULL CHECK (length(outward_code) <= 32),
                    decided smallint NOT NULL DEFAULT 0 CHECK (decided BETWEEN 0 AND 2),
                    PRIMARY KEY (tenant, ordinal),
                    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
                ) WITH (fillfactor = 80);
                CREATE INDEX case_signups_case ON case_signups (tenant, case_id, score DESC, ordinal);
                CREATE INDEX case_signups_signup ON case_signups (tenant, signup_id);
                CREATE INDEX case_signups_code ON case_signups (tenant, outward_code);
                CREATE INDEX case_signups_recorded ON case_signups (tenant, recorded_at, ordinal);

                CREATE TABLE case_notes (
                    tenant text NOT NULL,
                    id uuid NOT NULL,
                    case_id uuid NOT NULL,
                    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 128),
                    at timestamptz NOT NULL,
                    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
                    PRIMARY KEY (tenant, id),
                    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
                );
                CREATE INDEX case_notes_case ON case_notes (tenant, case_id, at, id);

                -- What happened to a case. No actor: the service.
                CREATE TABLE case_events (
                    tenant text NOT NULL,
                    id bigint GENERATED ALWAYS AS IDENTITY,
                    case_id uuid NOT NULL,
                    at timestamptz NOT NULL,
                    actor text CHECK (length(actor) BETWEEN 1 AND 128),
                    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
                    detail text CHECK (length(detail) <= 1024),
                    PRIMARY KEY (tenant, id),
                    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
                );
                CREATE INDEX case_events_case ON case_events (tenant, case_id, id);

                -- Applicants' objections, sealed: their words are personal data.
                CREATE TABLE appeals (
                    tenant text NOT NULL,
                    id uuid NOT NULL,
                    case_id uuid NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    opened_at timestamptz NOT NULL,
                    closed_at timestamptz,
                    text bytea,
                    PRIMARY KEY (tenant, id),
                    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
                );
                CREATE INDEX appeals_case ON appeals (tenant, case_id, opened_at, id);
                CREATE INDEX appeals_signup ON appeals (tenant, ordinal);

                -- Decisions on whole networks: what was asked, and each member it is for, with what became of it: 0 waits, 1 changed, 2 as it was, 3 decided by a person before.
                CREATE TABLE cluster_resolutions (
                    tenant text NOT NULL,
                    id uuid NOT NULL,
                    cluster bigint NOT NULL,
                    resolution smallint NOT NULL CHECK (resolution BETWEEN 1 AND 2),
                    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 64),
                    note text CHECK (length(note) <= 4000),
                    override_people boolean NOT NULL,
                    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 128),
                    started_at timestamptz NOT NULL,
                    finished_at timestamptz,
                    PRIMARY KEY (tenant, id)
                );

                CREATE TABLE cluster_resolution_members (
                    tenant text NOT NULL,
                    resolution_id uuid NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    result smallint NOT NULL DEFAULT 0 CHECK (result BETWEEN 0 AND 3),
                    PRIMARY KEY (tenant, resolution_id, ordinal),
                    FOREIGN KEY (tenant, resolution_id) REFERENCES cluster_resolutions (tenant, id)
                );

                -- How far the worker of cases read the stream of decisions: the last one it took.
                CREATE TABLE case_cursors (
                    tenant text PRIMARY KEY CHECK (length(tenant) <= 128),
                    xid xid8 NOT NULL,
                    ordinal bigint NOT NULL,
                    revision integer NOT NULL
                );

                -- Members that changed their network: their cases follow. A queue, emptied as the worker of cases goes. Screening writes no members.
                CREATE TABLE case_moves (
                    tenant text NOT NULL,
                    id bigint GENERATED ALWAYS AS IDENTITY,
                    ordinal bigint NOT NULL,
                    PRIMARY KEY (tenant, id)
                ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

                CREATE FUNCTION note_member_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
                BEGIN
                    INSERT INTO case_moves (tenant, ordinal) SELECT tenant, ordinal FROM changed;
                    RETURN NULL;
                END $$;
                CREATE TRIGGER cluster_members_added AFTER INSERT ON cluster_members REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();
                CREATE TRIGGER cluster_members_changed AFTER UPDATE ON cluster_members REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();
                CREATE TRIGGER cluster_members_removed AFTER DELETE ON cluster_members REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TRIGGER cluster_members_removed ON cluster_members;
                DROP TRIGGER cluster_members_changed ON cluster_members;
                DROP TRIGGER cluster_members_added ON cluster_members;
                DROP FUNCTION note_member_moves();
                DROP TABLE case_moves, case_cursors, cluster_resolution_members, cluster_resolutions, appeals, case_events, case_notes, case_signups, cases;
                """);
        }
    }
}
