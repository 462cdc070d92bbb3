using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "policies",
                columns: table => new
                {
                    version = table.Column<long>(type: "bigint", nullable: false),
                    yaml = table.Column<string>(type: "character varying(1000000)", maxLength: 1000000, nullable: false),
                    author = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    active = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_policies", x => x.version);
                });

            migrationBuilder.CreateIndex(
                name: "ix_policies_active",
                table: "policies",
                column: "active",
                unique: true,
                filter: "active");

            migrationBuilder.Sql(
                """
                -- One row a tenant: the lock that makes its batches serial, and the next ordinal. Updated by every batch; half-empty pages keep the updates in place.
                CREATE TABLE lanes (
                    tenant text PRIMARY KEY CHECK (length(tenant) <= 128),
                    next_ordinal bigint NOT NULL CHECK (next_ordinal >= 1),
                    state bytea NULL
                ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

                -- What ties signups together. Rows are rewritten far more often than added: room on the page and no index but the key keep
                -- updates in place (HOT), and vacuum comes early. A retention by last_seen scans; an index on it would cost every update.
                CREATE TABLE link_keys (
                    key uuid PRIMARY KEY,
                    kind smallint NOT NULL,
                    last_seen timestamptz NOT NULL,
                    state bytea NOT NULL
                ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

                -- Idempotency: the caller's id to the ordinal, and in which month's partitions to look.
                CREATE TABLE signup_ids (
                    tenant text NOT NULL,
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    recorded_at timestamptz NOT NULL,
                    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
                    PRIMARY KEY (tenant, signup_id),
                    UNIQUE (tenant, ordinal)
                );

                -- The request and its signals, encrypted (incompressible: stored out of line as they are).
                CREATE TABLE signups (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    recorded_at timestamptz NOT NULL,
                    occurred_at timestamptz NOT NULL,
                    account bigint NOT NULL,
                    facts bytea NOT NULL,
                    PRIMARY KEY (tenant, ordinal, recorded_at)
                ) PARTITION BY RANGE (recorded_at);

                ALTER TABLE signups ALTER COLUMN facts SET STORAGE EXTERNAL;

                CREATE TABLE signups_default PARTITION OF signups DEFAULT;

                -- Revision 1 answers the signup, higher ones changed it. recorded_at is the signup's, so all revisions share its partition.
                -- xid orders the stream of changes by commit: readers stop below the oldest transaction still running.
                CREATE TABLE decisions (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    revision integer NOT NULL CHECK (revision >= 1),
                    recorded_at timestamptz NOT NULL,
                    decided_at timestamptz NOT NULL,
                    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
                    decision_id uuid NOT NULL,
                    signup_id text NOT NULL CHECK (length(signup_id) BETWEEN 1 AND 128),
                    verdict smallint NOT NULL CHECK (verdict BETWEEN 1 AND 3),
                    score double precision NOT NULL CHECK (score BETWEEN 0 AND 100),
                    policy_version bigint NOT NULL,
                    outward_code text NOT NULL CHECK (length(outward_code) <= 32),
                    cause text NOT NULL CHECK (length(cause) <= 32),
                    body jsonb NOT NULL,
                    facts bytea NULL,
                    PRIMARY KEY (tenant, ordinal, revision, recorded_at)
                ) PARTITION BY RANGE (recorded_at);

                ALTER TABLE decisions ALTER COLUMN facts SET STORAGE EXTERNAL;

                CREATE INDEX decisions_stream ON decisions (tenant, xid, ordinal, revision);
                -- Changes alone: those who watch for them must not read past all first decisions at every poll.
                CREATE INDEX decisions_changes ON decisions (tenant, xid, ordinal, revision) WHERE revision > 1;

                CREATE TABLE decisions_default PARTITION OF decisions DEFAULT;

                -- What became of an account, once per kind.
                CREATE TABLE outcomes (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    kind text NOT NULL CHECK (length(kind) <= 32),
                    occurred_at timestamptz NOT NULL,
                    recorded_at timestamptz NOT NULL DEFAULT now(),
                    note text NULL CHECK (length(note) <= 1024),
                    PRIMARY KEY (tenant, ordinal, kind)
                );
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TABLE outcomes, decisions, signups, signup_ids, link_keys, lanes");

            migrationBuilder.DropTable(
                name: "policies");
        }
    }
}
