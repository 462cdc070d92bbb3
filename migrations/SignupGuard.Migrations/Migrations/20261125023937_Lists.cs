using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class Lists : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Revisions of a tenant's lists: every change takes the next, under this row's lock. Replicas that have not seen all up to the purged one read everything.
                CREATE TABLE list_revisions (
                    tenant text PRIMARY KEY CHECK (length(tenant) <= 128),
                    revision bigint NOT NULL CHECK (revision >= 1),
                    purged bigint NOT NULL DEFAULT 0
                );

                -- Allow, deny and watch lists. One that was removed stays until every replica has seen it.
                CREATE TABLE lists (
                    tenant text NOT NULL,
                    id bigint GENERATED ALWAYS AS IDENTITY,
                    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_-]{0,63}$'),
                    effect smallint NOT NULL CHECK (effect BETWEEN 1 AND 3),
                    type smallint NOT NULL CHECK (type BETWEEN 1 AND 10),
                    description text NOT NULL CHECK (length(description) <= 1024),
                    version bigint NOT NULL CHECK (version >= 1),
                    revision bigint NOT NULL,
                    entries bigint NOT NULL CHECK (entries >= 0),
                    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 128),
                    created_at timestamptz NOT NULL,
                    updated_at timestamptz NOT NULL,
                    removed_at timestamptz NULL,
                    PRIMARY KEY (tenant, id)
                );

                CREATE UNIQUE INDEX lists_name ON lists (tenant, name) WHERE removed_at IS NULL;

                -- What is on them. Of a person's values only the keyed hash and the value encrypted; others in the clear.
                CREATE TABLE list_entries (
                    tenant text NOT NULL,
                    list bigint NOT NULL,
                    key uuid NOT NULL,
                    value text NULL CHECK (length(value) <= 512),
                    sealed bytea NULL,
                    reason text NULL CHECK (length(reason) BETWEEN 1 AND 256),
                    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 128),
                    created_at timestamptz NOT NULL,
                    expires_at timestamptz NULL,
                    revision bigint NOT NULL,
                    removed_at timestamptz NULL,
                    PRIMARY KEY (tenant, list, key),
                    CHECK ((value IS NULL) <> (sealed IS NULL))
                );

                CREATE INDEX list_entries_revision ON list_entries (tenant, revision);
                CREATE INDEX list_entries_expired ON list_entries (tenant, expires_at) WHERE expires_at IS NOT NULL;
                CREATE INDEX list_entries_removed ON list_entries (tenant, removed_at) WHERE removed_at IS NOT NULL;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TABLE list_entries, lists, list_revisions");
        }
    }
}
