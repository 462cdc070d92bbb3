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

                -- The evidence: which keys tie which signups in.
                CREATE TABLE cluster_ties (
                    tenant text NOT NULL,
                    key uuid NOT NULL,
                    ordinal bigint NOT NULL CHECK (ordinal >= 1),
                    kind smallint NOT NULL,
                    PRIMARY KEY (tenant, key, ordinal)
                );

                CREATE INDEX cluster_ties_ordinal ON cluster_ties (tenant, ordinal);

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

                -- Queues of the worker, emptied as it goes: ties that screening left, and networks whose members are to be decided again.
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
                DROP TABLE labels, cluster_workers, second_looks, link_events, cluster_merges, cluster_ties, cluster_members, clusters;
                ALTER TABLE link_keys DROP COLUMN cluster;
                """);
        }
    }
}
