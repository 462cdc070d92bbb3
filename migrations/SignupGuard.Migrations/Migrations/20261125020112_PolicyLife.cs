using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class PolicyLife : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                ALTER TABLE policies
                    ADD COLUMN content_hash bytea NULL CHECK (octet_length(content_hash) = 32),
                    ADD COLUMN name character varying(128) NULL,
                    ADD COLUMN state character varying(32) NULL,
                    ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision >= 1),
                    ADD COLUMN base_version bigint NULL,
                    ADD COLUMN changed_by character varying(128) NULL,
                    ADD COLUMN changed_at timestamp with time zone NULL,
                    ADD COLUMN note character varying(4000) NULL,
                    ADD COLUMN backtest_hash bytea NULL,
                    ADD COLUMN shadow_run bigint NULL,
                    ADD COLUMN shadow_by character varying(128) NULL,
                    ADD COLUMN shadow_at timestamp with time zone NULL,
                    ADD COLUMN requested_by character varying(128) NULL,
                    ADD COLUMN requested_at timestamp with time zone NULL,
                    ADD COLUMN request_note character varying(4000) NULL,
                    ADD COLUMN approved_by character varying(128) NULL,
                    ADD COLUMN approved_at timestamp with time zone NULL,
                    ADD COLUMN approval_note character varying(4000) NULL,
                    ADD COLUMN second_person boolean NULL;

                UPDATE policies SET
                    content_hash = sha256(convert_to(yaml, 'UTF8')), state = CASE WHEN active THEN 'active' ELSE 'superseded' END, changed_by = author, changed_at = created_at;

                ALTER TABLE policies
                    ALTER COLUMN content_hash SET NOT NULL,
                    ALTER COLUMN state SET NOT NULL,
                    ALTER COLUMN changed_by SET NOT NULL,
                    ALTER COLUMN changed_at SET NOT NULL,
                    ADD CONSTRAINT policies_active_check CHECK (active = (state = 'active'));

                -- Which version was in force from when on: first publications and rollbacks, in order.
                CREATE TABLE policy_activations (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    version bigint NOT NULL REFERENCES policies (version),
                    previous_version bigint NULL,
                    kind text NOT NULL CHECK (kind IN ('shipped', 'published', 'rolled_back')),
                    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 128),
                    reason text NULL CHECK (length(reason) <= 4000),
                    activated_at timestamptz NOT NULL
                );

                INSERT INTO policy_activations (version, kind, actor, activated_at) SELECT version, 'shipped', author, created_at FROM policies WHERE active;

                -- The latest backtest of a version, bound to the content it was run on.
                CREATE TABLE policy_backtests (
                    version bigint PRIMARY KEY REFERENCES policies (version),
                    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
                    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 128),
                    run_at timestamptz NOT NULL,
                    report jsonb NOT NULL
                );

                -- What a shadow would have decided: counts by move and day, and some of the signups that moved. A run is the revision its shadow began at.
                CREATE TABLE shadow_counts (
                    tenant text NOT NULL,
                    version bigint NOT NULL,
                    run bigint NOT NULL,
                    day date NOT NULL,
                    active_version bigint NOT NULL,
                    active_verdict smallint NOT NULL CHECK (active_verdict BETWEEN 1 AND 3),
                    shadow_verdict smallint NOT NULL CHECK (shadow_verdict BETWEEN 1 AND 3),
                    signups bigint NOT NULL,
                    PRIMARY KEY (tenant, version, run, day, active_version, active_verdict, shadow_verdict)
                );

                CREATE TABLE shadow_differences (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    tenant text NOT NULL,
                    version bigint NOT NULL,
                    run bigint NOT NULL,
                    judged_at timestamptz NOT NULL,
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    active_version bigint NOT NULL,
                    active_verdict smallint NOT NULL CHECK (active_verdict BETWEEN 1 AND 3),
                    shadow_verdict smallint NOT NULL CHECK (shadow_verdict BETWEEN 1 AND 3),
                    active_score double precision NOT NULL,
                    shadow_score double precision NOT NULL,
                    reasons text[] NOT NULL
                );

                CREATE INDEX shadow_differences_moves ON shadow_differences (tenant, version, run, active_verdict, shadow_verdict, id);

                -- Who did what, when and why. Rows are added and read, by anybody never changed or removed.
                CREATE TABLE audit (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    tenant text NULL CHECK (length(tenant) <= 128),
                    at timestamptz NOT NULL,
                    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 128),
                    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
                    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 256),
                    change jsonb NULL,
                    note text NULL CHECK (length(note) <= 4000)
                );

                CREATE INDEX audit_subject ON audit (subject, id);
                CREATE INDEX audit_actor ON audit (actor, id);

                CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
                BEGIN
                    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
                END $$;

                CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

                -- Partitions are made by the tables' owner, for a service that is not: months of these two tables, and nothing else.
                -- A table of its own that is then attached, not CREATE TABLE ... PARTITION OF: that locks the parent against screening. Attaching a month
                -- ahead locks the default partition alone. For a month that rows arrive in, writers must wait: a row on its way to the default
                -- partition while its month gets its own is an error to its writer.
                CREATE FUNCTION create_month_partition(parent text, month date, ahead boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
                DECLARE
                    partition text := parent || '_' || to_char(month, 'YYYY_MM');
                    month_from timestamptz := month::timestamp AT TIME ZONE 'UTC';
                    month_until timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
                BEGIN
                    IF parent NOT IN ('signups', 'decisions') OR month <> date_trunc('month', month)::date THEN
                        RAISE EXCEPTION 'no month of a table that grows by months';
                    END IF;
                    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)', partition, parent);
                    EXECUTE format('LOCK TABLE ONLY %I IN %s MODE', parent, CASE WHEN ahead THEN 'SHARE UPDATE EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END);
                    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
                    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE recorded_at >= %L AND recorded_at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
                        parent || '_default', month_from, month_until, partition);
                    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, month_from, month_until);
                END $$;

                -- The role the service works under. Roles belong to the server, not to one database: it may be there already.
                DO $$
                BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'signupguard_service') THEN
                        BEGIN
                            CREATE ROLE signupguard_service NOLOGIN;
                        EXCEPTION
                            WHEN duplicate_object OR unique_violation THEN NULL;
                            WHEN insufficient_privilege THEN
                                RAISE EXCEPTION 'the role signupguard_service is missing, and % may not create roles', current_user
                                    USING ERRCODE = 'insufficient_privilege', HINT = format('As a superuser: CREATE ROLE signupguard_service NOLOGIN; GRANT signupguard_service TO %I;', current_user);
                        END;
                    END IF;
                    -- A service that logs in as the owner takes the role, too. Where that may not be granted here, it logs in as another member of the role.
                    IF NOT pg_has_role(current_user, 'signupguard_service', 'MEMBER') THEN
                        BEGIN
                            EXECUTE format('GRANT signupguard_service TO %I', current_user);
                        EXCEPTION WHEN insufficient_privilege THEN
                            RAISE NOTICE '% may not take the role signupguard_service', current_user;
                        END;
                    END IF;
                    -- Rows of all tables, now and later, but of the audit and of the schema's own history nothing is changed or removed.
                    GRANT USAGE ON SCHEMA public TO signupguard_service;
                    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO signupguard_service;
                    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO signupguard_service;
                END $$;

                REVOKE UPDATE, DELETE ON audit FROM signupguard_service;
                REVOKE INSERT, UPDATE, DELETE ON "__EFMigrationsHistory" FROM signupguard_service;
                REVOKE EXECUTE ON FUNCTION create_month_partition FROM PUBLIC;
                GRANT EXECUTE ON FUNCTION create_month_partition TO signupguard_service;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // The role stays: other databases of the server may use it.
            migrationBuilder.Sql(
                """
                DO $$
                BEGIN
                    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM signupguard_service;
                    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signupguard_service;
                    REVOKE USAGE ON SCHEMA public FROM signupguard_service;
                END $$;

                DROP FUNCTION create_month_partition;
                DROP TABLE audit, shadow_differences, shadow_counts, policy_backtests, policy_activations;
                DROP FUNCTION refuse_audit_change;
                DELETE FROM policies WHERE state NOT IN ('active', 'superseded');
                ALTER TABLE policies
                    DROP CONSTRAINT policies_active_check,
                    DROP COLUMN content_hash, DROP COLUMN name, DROP COLUMN state, DROP COLUMN revision, DROP COLUMN base_version, DROP COLUMN changed_by,
                    DROP COLUMN changed_at, DROP COLUMN note, DROP COLUMN backtest_hash, DROP COLUMN shadow_run, DROP COLUMN shadow_by, DROP COLUMN shadow_at,
                    DROP COLUMN requested_by, DROP COLUMN requested_at, DROP COLUMN request_note, DROP COLUMN approved_by, DROP COLUMN approved_at,
                    DROP COLUMN approval_note, DROP COLUMN second_person;
                """);
        }
    }
}
