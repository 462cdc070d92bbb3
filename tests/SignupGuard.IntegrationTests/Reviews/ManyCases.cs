using System.Globalization;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>Cases by the thousand, written in one statement: of every kind, with ties in every order.</summary>
internal static class ManyCases
{
    /// <param name="states">Numbers that states are taken from in turn.</param>
    public static string Sql(int count, string states = "1, 1, 1, 2, 3, 4") => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        INSERT INTO cases (tenant, id, state, ordinal, signup_id, cluster, signups, verdict, score, priority, appealed, reason_codes, labels, country, opened_at, updated_at,
                           resolution, resolved_by, resolved_at, merged_into)
        SELECT 'default', md5(i::text)::uuid, state, i, 's' || i, CASE WHEN i % 5 = 0 THEN i END, CASE WHEN i % 5 = 0 THEN 2 + i % 7 ELSE 1 END, 2 + (i % 4 = 0)::int, i * 37 % 1000 / 10.0,
               i * 37 % 101, i % 29 = 0, ARRAY[(ARRAY['SHARED_DEVICE', 'SHARED_CARD', 'DISPOSABLE_EMAIL'])[1 + i % 3]] || CASE WHEN i % 4 = 0 THEN ARRAY['VPN'] ELSE ARRAY[]::text[] END,
               CASE WHEN i % 6 = 0 THEN ARRAY['watch'] ELSE ARRAY[]::text[] END, CASE WHEN i % 3 > 0 THEN (ARRAY['DE', 'BR', 'IN'])[1 + i % 3] END,
               at, at, CASE WHEN state = 3 THEN 1 + i % 2 END, CASE WHEN state = 3 AND i % 3 > 0 THEN (ARRAY['lin', 'max'])[1 + i % 2] END, CASE WHEN state = 3 THEN at + i % 72 * interval '1 hour' END,
               CASE WHEN i % 50 = 49 THEN md5((i - 1)::text)::uuid END
        FROM (SELECT i, (ARRAY[{states}])[1 + i % array_length(ARRAY[{states}], 1)]::smallint AS state, timestamptz '2026-01-01T00:00:00Z' + i / 3 * interval '3 seconds' AS at
              FROM generate_series(1, {count}) AS i) s;
        INSERT INTO case_signups (tenant, ordinal, case_id, signup_id, recorded_at, revision, verdict, score, reason_codes, labels, outward_code)
        SELECT tenant, ordinal, id, signup_id, opened_at, 1, verdict, score, reason_codes, labels, 'C' || ordinal FROM cases;
        ANALYZE cases, case_signups;
        """);
}
