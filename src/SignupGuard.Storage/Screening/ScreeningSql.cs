namespace SignupGuard.Storage.Screening;

/// <summary>
/// The statements of a batch, in the order they run. Public for those who measure the same statements without the service.
/// </summary>
public static class ScreeningSql
{
    /// <summary>
    /// $1: tenants. Locks the lanes in one order over all replicas. Under READ COMMITTED each later statement sees all that was committed before.
    /// </summary>
    public const string LockLanes =
        """
        INSERT INTO lanes AS lane (tenant, next_ordinal) SELECT unnest($1), 1
        ON CONFLICT (tenant) DO UPDATE SET next_ordinal = lane.next_ordinal
        RETURNING tenant, next_ordinal, state
        """;

    /// <summary>$1: tenants, $2: signup ids.</summary>
    public const string FindKnown =
        $"""
        SELECT s.tenant, s.content_hash, {DecisionRow.Columns}
        FROM unnest($1, $2) AS asked (tenant, signup_id)
        JOIN signup_ids s USING (tenant, signup_id)
        JOIN LATERAL (
            SELECT * FROM decisions d WHERE d.tenant = s.tenant AND d.ordinal = s.ordinal AND d.recorded_at = s.recorded_at
            ORDER BY d.revision DESC LIMIT 1) d ON true
        """;

    /// <summary>$1: keys.</summary>
    public const string ReadKeys = $"SELECT {LinkageReader.KeyColumns} FROM link_keys WHERE key = ANY($1)";

    /// <summary>$1: keys, $2: tenants.</summary>
    public const string ReadClusters =
        $"SELECT {ClusterRow.Columns}, c.tenant FROM clusters c WHERE c.id IN (SELECT cluster FROM link_keys WHERE key = ANY($1) AND cluster IS NOT NULL) AND c.tenant = ANY($2)";

    /// <summary>$1: keys, $2: kinds, $3: times last seen, $4: states.</summary>
    public const string WriteKeys =
        """
        INSERT INTO link_keys (key, kind, last_seen, state) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (key) DO UPDATE SET last_seen = EXCLUDED.last_seen, state = EXCLUDED.state
        """;

    /// <summary>$1: tenants, $2: signup ids, $3: ordinals, $4: content hashes, $5: the time of recording.</summary>
    public const string WriteSignupIds =
        "INSERT INTO signup_ids (tenant, signup_id, ordinal, recorded_at, content_hash) SELECT t, i, o, $5, h FROM unnest($1, $2, $3, $4) AS u (t, i, o, h)";

    /// <summary>$1: tenants, $2: ordinals, $3: times of occurrence, $4: accounts, $5: facts, $6: the time of recording.</summary>
    public const string WriteSignups =
        "INSERT INTO signups (tenant, ordinal, recorded_at, occurred_at, account, facts) SELECT t, o, $6, at, account, facts FROM unnest($1, $2, $3, $4, $5) AS u (t, o, at, account, facts)";

    /// <summary>One array a column, in the order of the columns.</summary>
    public const string WriteDecisions =
        """
        INSERT INTO decisions (tenant, ordinal, revision, recorded_at, decided_at, decision_id, signup_id, verdict, score, policy_version, outward_code, cause, body, facts)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """;

    /// <summary>$1: tenants, $2: next ordinals, $3: states.</summary>
    public const string WriteLanes =
        "UPDATE lanes SET next_ordinal = u.next, state = u.state FROM unnest($1, $2, $3) AS u (tenant, next, state) WHERE lanes.tenant = u.tenant";

    /// <summary>$1: tenants, $2: ordinals, $3: ties.</summary>
    public const string WriteLinkEvents = "INSERT INTO link_events (tenant, ordinal, ties) SELECT * FROM unnest($1, $2, $3)";
}
