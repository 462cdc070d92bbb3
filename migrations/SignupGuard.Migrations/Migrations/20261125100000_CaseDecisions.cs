using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SignupGuard.Migrations.Migrations
{
    /// <inheritdoc />
    public partial class CaseDecisions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Who decided an account, when and why stands with the account: a case says what its accounts say, wherever they go.
                ALTER TABLE case_signups
                    ADD COLUMN decided_by text CHECK (length(decided_by) BETWEEN 1 AND 128),
                    ADD COLUMN decided_at timestamptz,
                    ADD COLUMN decided_reason text CHECK (length(decided_reason) <= 64);
                UPDATE case_signups s SET decided_by = c.resolved_by, decided_at = coalesce(c.resolved_at, c.updated_at), decided_reason = c.resolution_reason
                FROM cases c WHERE c.tenant = s.tenant AND c.id = s.case_id AND s.decided <> 0;
                ALTER TABLE case_signups ADD CHECK ((decided = 0) = (decided_at IS NULL));

                -- Whose word a label is: a person's, or an outcome's where there is none.
                ALTER TABLE labels ADD COLUMN labelled_by text CHECK (length(labelled_by) BETWEEN 1 AND 128);

                -- Those folded into a case, when that is folded itself.
                CREATE INDEX cases_merged ON cases (tenant, merged_into) WHERE merged_into IS NOT NULL;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP INDEX cases_merged;
                ALTER TABLE labels DROP COLUMN labelled_by;
                ALTER TABLE case_signups DROP COLUMN decided_by, DROP COLUMN decided_at, DROP COLUMN decided_reason;
                """);
        }
    }
}
