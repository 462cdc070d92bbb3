using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class Clusters : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- The network a promoted key belongs to. Its index holds promoted keys alone, so counting on the others stays an update in place.
                ALTER TABLE link_keys ADD COLUMN cluster bigint NULL;
                CREATE INDEX link_keys_cluster ON link_keys (cluster) WHERE cluster IS NOT NULL;

                -- While true the key ties nobody and is no evidence; kept true to key_exemptions by the same transactions.
                ALTER TABLE link_keys ADD COLUMN exempt boolean NOT NULL DEFAULT false;

                -- Networks: what the policy reads of one, kept by the worker.
                CREATE TABLE clusters (
                    tenant text NOT NULL,
                    id bigint NOT NULL CHECK (id >= 1),
                    size bigint NOT NULL,
                    denied bigint NOT NULL,
                    confirmed_bad bigint NOT NULL,
                    confirmed_good bigint NOT NULL,
                    key_groups smallint NOT NULL,
                    first_seen timestamptz NOT NULL,
                    last_seen timestamptz NOT NULL,
                    hour_start bigint NOT NULL,
                    hour_running integer NOT NULL,
                    hour_previous integer NOT NULL,
                    PRIMARY KEY (tenant, id)
                ) WITH (fillfactor = 80);

                -- Which network a signup is in; at most one.
                CREATE TABLE cluster_members (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    cluster bigint NOT NULL,
                    PRIMARY KEY (tenant, ordinal)
                );

                CREATE INDEX cluster_members_cluster ON cluster_members (tenant, cluster, ordinal);

                -- The evidence: which keys tie which signups in. A tie that was cut by hand stays, so that the same key does not pull the signup back.
                CREATE TABLE cluster_ties (
                    tenant text NOT NULL,
                    key uuid NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    kind smallint NOT NULL,
                    cut_at timestamptz NULL,
                    PRIMARY KEY (tenant, key, ordinal)
                );

                CREATE INDEX cluster_ties_ordinal ON cluster_ties (tenant, ordinal);
                CREATE INDEX cluster_ties_cut ON cluster_ties (tenant, key, ordinal) WHERE cut_at IS NOT NULL;

                -- Keys that must tie nobody for a time: who said so, why, until when, and who ended it. At most one in force a key.
                CREATE TABLE key_exemptions (
                    id bigint GENERATED ALWAYS AS IDENTITY,
                    tenant text NOT NULL,
                    key uuid NOT NULL,
                    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1024),
                    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 128),
                    created_at timestamptz NOT NULL,
                    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
                    ended_at timestamptz NULL,
                    ended_by text NULL CHECK (length(ended_by) <= 128),
                    PRIMARY KEY (tenant, id)
                );

                CREATE UNIQUE INDEX key_exemptions_in_force ON key_exemptions (tenant, key) WHERE ended_at IS NULL;
                CREATE INDEX key_exemptions_due ON key_exemptions (expires_at) WHERE ended_at IS NULL;

                -- The log of merges, in order, by which a merge can be undone.
                CREATE TABLE cluster_merges (
                    id bigint GENERATED ALWAYS AS IDENTITY,
                    tenant text NOT NULL,
                    merged_at timestamptz NOT NULL,
                    into_cluster bigint NOT NULL,
                    from_cluster bigint NOT NULL,
                    key uuid NOT NULL,
                    ordinal bigint NOT NULL,
                    PRIMARY KEY (tenant, id)
                );

                -- Queues of the worker, emptied as it goes: ties that screening left, and networks whose members are to be decided again, with the
                -- ordinal up to which they were. Asking again begins again.
                CREATE TABLE link_events (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    ties bytea NOT NULL,
                    PRIMARY KEY (tenant, ordinal)
                ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

                CREATE TABLE second_looks (
                    tenant text NOT NULL,
                    cluster bigint NOT NULL,
                    requested_at timestamptz NOT NULL,
                    reached bigint NOT NULL DEFAULT 0,
                    PRIMARY KEY (tenant, cluster)
                ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

                -- The lock of a tenant's worker.
                CREATE TABLE cluster_workers (
                    tenant text PRIMARY KEY
                );

                -- What outcomes and reviews proved of an account: 1 bad, 2 good.
                CREATE TABLE labels (
                    tenant text NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    label smallint NOT NULL CHECK (label BETWEEN 0 AND 2),
                    labelled_at timestamptz NOT NULL,
                    PRIMARY KEY (tenant, ordinal)
                );
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TABLE labels, cluster_workers, second_looks, link_events, cluster_merges, key_exemptions, cluster_ties, cluster_members, clusters;
                ALTER TABLE link_keys DROP COLUMN cluster, DROP COLUMN exempt;
                """);
        }
    }
}
