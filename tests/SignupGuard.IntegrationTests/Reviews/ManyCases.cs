using System.Globalization;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>Cases by the thousand, written in one statement: of every kind, with ties in every order.</summary>
internal static class ManyCases
{
    /// <param name="states">Numbers that states are taken from in turn.</param>
    /// <param name="from">Lowest ordinal.</param>
    public static string Sql(int count, string states = "1, 1, 1, 2, 3, 4", int from = 1) => string.Create(
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
              FROM generate_series({from}, {from + count - 1}) AS i) s;
        INSERT INTO case_signups (tenant, ordinal, case_id, signup_id, recorded_at, revision, verdict, score, reason_codes, labels, outward_code)
        SELECT tenant, ordinal, id, signup_id, opened_at, 1, verdict, score, reason_codes, labels, 'C' || ordinal FROM cases WHERE ordinal >= {from};
        ANALYZE cases, case_signups;
        """);

    /// <summary>Signups one every five minutes, with a first decision each and some with a second; every third was flagged, and has a case; every tenth is in a network of ten.</summary>
    public static string Signups(int count) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        CREATE TEMPORARY TABLE made AS
        SELECT i, 's' || i AS signup_id, timestamptz '2026-01-01T00:00:00Z' + i * interval '5 minutes' AS at, i % 3 = 0 AS flagged, i * 37 % 1000 / 10.0::double precision AS score,
               ARRAY[(ARRAY['SHARED_DEVICE', 'SHARED_CARD', 'DISPOSABLE_EMAIL'])[1 + i % 3]] || CASE WHEN i % 4 = 0 THEN ARRAY['VPN'] ELSE ARRAY[]::text[] END AS codes,
               CASE WHEN i % 6 = 0 THEN ARRAY['watch'] ELSE ARRAY[]::text[] END AS labels
        FROM generate_series(1, {count}) AS i;
        INSERT INTO signup_ids (tenant, signup_id, ordinal, recorded_at, content_hash) SELECT 'default', signup_id, i, at, decode(repeat('00', 32), 'hex') FROM made;
        INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body)
        SELECT 'default', i, r, at, at, gen_random_uuid(), signup_id, CASE WHEN flagged THEN CASE WHEN i % 9 = 0 AND r = 2 THEN 1 WHEN i % 2 = 0 THEN 3 ELSE 2 END ELSE 1 END, score, 1, 'C' || i, 'screened',
               jsonb_build_object('reasons', (SELECT jsonb_agg(jsonb_build_object('code', code)) FROM unnest(codes) AS code), 'labels', to_jsonb(labels))
        FROM made, generate_series(1, 2) AS r WHERE r = 1 OR i % 9 = 0;
        INSERT INTO cases (tenant, id, state, ordinal, signup_id, signups, verdict, score, priority, appealed, reason_codes, labels, opened_at, updated_at, resolution, resolved_by, resolved_at)
        SELECT 'default', md5(i::text)::uuid, CASE WHEN i % 9 = 0 THEN 3 ELSE 1 + i % 2 * 3 END, i, signup_id, 1, 2, score, score::integer, i % 15 = 0, codes, labels, at, at,
               CASE WHEN i % 9 = 0 THEN 1 + i % 2 END, CASE WHEN i % 9 = 0 THEN (ARRAY['lin', 'max'])[1 + i % 2] END, CASE WHEN i % 9 = 0 THEN at + interval '1 day' END FROM made WHERE flagged;
        INSERT INTO case_signups (tenant, ordinal, case_id, signup_id, recorded_at, revision, verdict, score, reason_codes, labels, outward_code, country)
        SELECT 'default', i, md5(i::text)::uuid, signup_id, at, 1, 2, score, codes, labels, 'C' || i, 'DE' FROM made WHERE flagged;
        INSERT INTO cluster_members (tenant, ordinal, cluster) SELECT 'default', i, i - i % 100 + 1 FROM made WHERE i % 10 = 1;
        DELETE FROM case_moves;
        DROP TABLE made;
        ANALYZE signup_ids, decisions, cases, case_signups, cluster_members;
        """);

    /// <summary>
    /// As many signups as a year has at a small company, one a second, recorded before now and beside those there are; every tenth is flagged, and of those a half waits.
    /// The worker of cases has read them all. Their facts are no facts: what is opened of them is not measured.
    /// </summary>
    public static string Scale(int signups) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        BEGIN;
        CREATE TEMPORARY TABLE made ON COMMIT DROP AS
        SELECT i, i + 1000000 AS ordinal, 'bulk-' || i AS signup_id, now() - ({signups} - i) * interval '1 second' AS at, i % 5 = 0 AS flagged, CASE WHEN i % 5 = 0 THEN 50 + i * 37 % 500 / 10.0 ELSE i * 37 % 400 / 10.0 END::double precision AS score,
               ARRAY[(ARRAY['SHARED_DEVICE', 'SHARED_CARD', 'DISPOSABLE_EMAIL'])[1 + i % 3]] || CASE WHEN i % 40 = 0 THEN ARRAY['VPN'] ELSE ARRAY[]::text[] END AS codes
        FROM generate_series(1, {signups}) AS i;
        INSERT INTO signup_ids (tenant, signup_id, ordinal, recorded_at, content_hash) SELECT 'default', signup_id, ordinal, at, decode(repeat('00', 32), 'hex') FROM made;
        INSERT INTO signups (tenant, ordinal, recorded_at, occurred_at, account, facts) SELECT 'default', ordinal, at, at, ordinal, decode(repeat('00', 1000), 'hex') FROM made;
        INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body)
        SELECT 'default', ordinal, 1, at, at, gen_random_uuid(), signup_id, CASE WHEN flagged THEN 2 + (i % 10 = 0)::int ELSE 1 END, score, 1, 'C' || i, 'screened',
               jsonb_build_object('verdict', 1, 'score', score, 'reasons', (SELECT jsonb_agg(jsonb_build_object('code', code, 'text', repeat('What a reviewer is told. ', 8), 'contribution', 1.5)) FROM unnest(codes) AS code),
                                  'labels', '[]'::jsonb, 'obligations', '[]'::jsonb, 'undecided', '[]'::jsonb, 'completeness', '[]'::jsonb)
        FROM made;
        INSERT INTO cases (tenant, id, state, ordinal, signup_id, cluster, signups, verdict, score, priority, appealed, reason_codes, labels, country, network_class, channel, opened_at, updated_at)
        SELECT 'default', gen_random_uuid(), CASE WHEN i % 10 = 0 THEN 4 ELSE 1 END, ordinal, signup_id, NULL, 1, 2, score, score::integer, i % 1000 = 5, codes, '{"{}"}',
               (ARRAY['DE', 'BR', 'IN', 'US'])[1 + i % 4], 'residential', 'web', at, at FROM made WHERE flagged;
        INSERT INTO case_signups (tenant, ordinal, case_id, signup_id, recorded_at, revision, verdict, score, reason_codes, labels, outward_code, country, network_class, channel)
        SELECT 'default', c.ordinal, c.id, c.signup_id, c.opened_at, 1, c.verdict, c.score, c.reason_codes, '{"{}"}', 'C' || c.ordinal, c.country, 'residential', 'web' FROM cases c WHERE c.signup_id LIKE 'bulk-%';
        INSERT INTO case_cursors (tenant, xid, ordinal, revision) SELECT 'default', pg_current_xact_id(), max(ordinal), 1 FROM made
        ON CONFLICT (tenant) DO UPDATE SET xid = EXCLUDED.xid, ordinal = EXCLUDED.ordinal, revision = EXCLUDED.revision;
        UPDATE lanes SET next_ordinal = 1000000 + {signups} + 1 WHERE tenant = 'default';
        COMMIT;
        """);
}
