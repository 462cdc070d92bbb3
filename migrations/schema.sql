-- The schema that the migrations make, for reading; nothing runs this file.
-- Left out: partitions. Each partitioned table has a default one, and one for each month (PartitionMaintenance).
-- Written by: SIGNUPGUARD_UPDATE_SCHEMA=1 dotnet test tests/SignupGuard.IntegrationTests --filter SchemaFileTests

CREATE FUNCTION create_month_partition(parent text, month date, ahead boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION note_member_moves() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO case_moves (tenant, ordinal) SELECT tenant, ordinal FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TABLE appeals (
    tenant text NOT NULL,
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    text bytea,
    CONSTRAINT appeals_ordinal_check CHECK ((ordinal >= 1))
);

CREATE TABLE audit (
    id bigint NOT NULL,
    tenant text,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    change jsonb,
    note text,
    CONSTRAINT audit_action_check CHECK (((length(action) >= 1) AND (length(action) <= 64))),
    CONSTRAINT audit_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 128))),
    CONSTRAINT audit_note_check CHECK ((length(note) <= 4000)),
    CONSTRAINT audit_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 256))),
    CONSTRAINT audit_tenant_check CHECK ((length(tenant) <= 128))
);

ALTER TABLE audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE case_cursors (
    tenant text NOT NULL,
    xid xid8 NOT NULL,
    ordinal bigint NOT NULL,
    revision integer NOT NULL,
    CONSTRAINT case_cursors_tenant_check CHECK ((length(tenant) <= 128))
);

CREATE TABLE case_events (
    tenant text NOT NULL,
    id bigint NOT NULL,
    case_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text,
    kind text NOT NULL,
    detail text,
    CONSTRAINT case_events_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 128))),
    CONSTRAINT case_events_detail_check CHECK ((length(detail) <= 1024)),
    CONSTRAINT case_events_kind_check CHECK (((length(kind) >= 1) AND (length(kind) <= 32)))
);

ALTER TABLE case_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME case_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE case_moves (
    tenant text NOT NULL,
    id bigint NOT NULL,
    ordinal bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');

ALTER TABLE case_moves ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME case_moves_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE case_notes (
    tenant text NOT NULL,
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    author text NOT NULL,
    at timestamp with time zone NOT NULL,
    text text NOT NULL,
    CONSTRAINT case_notes_author_check CHECK (((length(author) >= 1) AND (length(author) <= 128))),
    CONSTRAINT case_notes_text_check CHECK (((length(text) >= 1) AND (length(text) <= 4000)))
);

CREATE TABLE case_signups (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    case_id uuid NOT NULL,
    signup_id text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    revision integer NOT NULL,
    verdict smallint NOT NULL,
    score double precision NOT NULL,
    reason_codes text[] NOT NULL,
    labels text[] NOT NULL,
    country text,
    network_class text,
    channel text,
    product text,
    outward_code text NOT NULL,
    decided smallint DEFAULT 0 NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    decided_reason text,
    CONSTRAINT case_signups_check CHECK (((decided = 0) = (decided_at IS NULL))),
    CONSTRAINT case_signups_decided_by_check CHECK (((length(decided_by) >= 1) AND (length(decided_by) <= 128))),
    CONSTRAINT case_signups_decided_check CHECK (((decided >= 0) AND (decided <= 2))),
    CONSTRAINT case_signups_decided_reason_check CHECK ((length(decided_reason) <= 64)),
    CONSTRAINT case_signups_ordinal_check CHECK ((ordinal >= 1)),
    CONSTRAINT case_signups_outward_code_check CHECK ((length(outward_code) <= 32)),
    CONSTRAINT case_signups_revision_check CHECK ((revision >= 1)),
    CONSTRAINT case_signups_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128))),
    CONSTRAINT case_signups_verdict_check CHECK (((verdict >= 1) AND (verdict <= 3)))
)
WITH (fillfactor='80');

CREATE TABLE cases (
    tenant text NOT NULL,
    id uuid NOT NULL,
    state smallint NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    ordinal bigint NOT NULL,
    signup_id text NOT NULL,
    cluster bigint,
    signups bigint NOT NULL,
    verdict smallint NOT NULL,
    score double precision NOT NULL,
    priority integer NOT NULL,
    appealed boolean DEFAULT false NOT NULL,
    reason_codes text[] NOT NULL,
    labels text[] NOT NULL,
    country text,
    network_class text,
    channel text,
    product text,
    opened_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    claimed_by text,
    claimed_until timestamp with time zone,
    resolution smallint,
    resolved_by text,
    resolved_at timestamp with time zone,
    resolution_reason text,
    merged_into uuid,
    CONSTRAINT cases_check CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT cases_claimed_by_check CHECK (((length(claimed_by) >= 1) AND (length(claimed_by) <= 128))),
    CONSTRAINT cases_ordinal_check CHECK ((ordinal >= 1)),
    CONSTRAINT cases_priority_check CHECK (((priority >= 0) AND (priority <= 100))),
    CONSTRAINT cases_resolution_check CHECK (((resolution >= 1) AND (resolution <= 2))),
    CONSTRAINT cases_resolution_reason_check CHECK ((length(resolution_reason) <= 64)),
    CONSTRAINT cases_resolved_by_check CHECK (((length(resolved_by) >= 1) AND (length(resolved_by) <= 128))),
    CONSTRAINT cases_revision_check CHECK ((revision >= 1)),
    CONSTRAINT cases_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128))),
    CONSTRAINT cases_signups_check CHECK ((signups >= 0)),
    CONSTRAINT cases_state_check CHECK (((state >= 1) AND (state <= 4))),
    CONSTRAINT cases_tenant_check CHECK ((length(tenant) <= 128)),
    CONSTRAINT cases_verdict_check CHECK (((verdict >= 1) AND (verdict <= 3)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');

CREATE TABLE cluster_members (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    cluster bigint NOT NULL,
    CONSTRAINT cluster_members_ordinal_check CHECK ((ordinal >= 1))
);

CREATE TABLE cluster_merges (
    id bigint NOT NULL,
    tenant text NOT NULL,
    merged_at timestamp with time zone NOT NULL,
    into_cluster bigint NOT NULL,
    from_cluster bigint NOT NULL,
    key uuid NOT NULL,
    ordinal bigint NOT NULL
);

ALTER TABLE cluster_merges ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cluster_merges_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE cluster_resolution_members (
    tenant text NOT NULL,
    resolution_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    signup_id text NOT NULL,
    result smallint DEFAULT 0 NOT NULL,
    CONSTRAINT cluster_resolution_members_ordinal_check CHECK ((ordinal >= 1)),
    CONSTRAINT cluster_resolution_members_result_check CHECK (((result >= 0) AND (result <= 3))),
    CONSTRAINT cluster_resolution_members_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128)))
);

CREATE TABLE cluster_resolutions (
    tenant text NOT NULL,
    id uuid NOT NULL,
    cluster bigint NOT NULL,
    resolution smallint NOT NULL,
    reason text NOT NULL,
    note text,
    override_people boolean NOT NULL,
    actor text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT cluster_resolutions_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 128))),
    CONSTRAINT cluster_resolutions_note_check CHECK ((length(note) <= 4000)),
    CONSTRAINT cluster_resolutions_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 64))),
    CONSTRAINT cluster_resolutions_resolution_check CHECK (((resolution >= 1) AND (resolution <= 2)))
);

CREATE TABLE cluster_ties (
    tenant text NOT NULL,
    key uuid NOT NULL,
    ordinal bigint NOT NULL,
    kind smallint NOT NULL,
    cut_at timestamp with time zone,
    CONSTRAINT cluster_ties_ordinal_check CHECK ((ordinal >= 1))
);

CREATE TABLE cluster_workers (
    tenant text NOT NULL
);

CREATE TABLE clusters (
    tenant text NOT NULL,
    id bigint NOT NULL,
    size bigint NOT NULL,
    denied bigint NOT NULL,
    confirmed_bad bigint NOT NULL,
    confirmed_good bigint NOT NULL,
    key_groups smallint NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    hour_start bigint NOT NULL,
    hour_running integer NOT NULL,
    hour_previous integer NOT NULL,
    CONSTRAINT clusters_id_check CHECK ((id >= 1))
)
WITH (fillfactor='80');

CREATE TABLE decision_hour_reasons (
    tenant text NOT NULL,
    hour timestamp with time zone NOT NULL,
    code text NOT NULL,
    signups bigint NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE decision_hours (
    tenant text NOT NULL,
    hour timestamp with time zone NOT NULL,
    allowed bigint NOT NULL,
    reviewed bigint NOT NULL,
    denied bigint NOT NULL,
    changed bigint NOT NULL,
    scores bigint[] NOT NULL,
    CONSTRAINT decision_hours_scores_check CHECK ((cardinality(scores) = 20)),
    CONSTRAINT decision_hours_tenant_check CHECK ((length(tenant) <= 128))
)
WITH (fillfactor='50');

CREATE TABLE decisions (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    revision integer NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    decision_id uuid NOT NULL,
    signup_id text NOT NULL,
    verdict smallint NOT NULL,
    score double precision NOT NULL,
    policy_version bigint NOT NULL,
    outward_code text NOT NULL,
    cause text NOT NULL,
    body jsonb NOT NULL,
    facts bytea,
    CONSTRAINT decisions_cause_check CHECK ((length(cause) <= 32)),
    CONSTRAINT decisions_ordinal_check CHECK ((ordinal >= 1)),
    CONSTRAINT decisions_outward_code_check CHECK ((length(outward_code) <= 32)),
    CONSTRAINT decisions_revision_check CHECK ((revision >= 1)),
    CONSTRAINT decisions_score_check CHECK (((score >= (0)::double precision) AND (score <= (100)::double precision))),
    CONSTRAINT decisions_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128))),
    CONSTRAINT decisions_verdict_check CHECK (((verdict >= 1) AND (verdict <= 3)))
)
PARTITION BY RANGE (recorded_at);
ALTER TABLE ONLY decisions ALTER COLUMN facts SET STORAGE EXTERNAL;

CREATE TABLE key_exemptions (
    id bigint NOT NULL,
    tenant text NOT NULL,
    key uuid NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT key_exemptions_author_check CHECK (((length(author) >= 1) AND (length(author) <= 128))),
    CONSTRAINT key_exemptions_check CHECK ((expires_at > created_at)),
    CONSTRAINT key_exemptions_ended_by_check CHECK ((length(ended_by) <= 128)),
    CONSTRAINT key_exemptions_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 1024)))
);

ALTER TABLE key_exemptions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME key_exemptions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE labels (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    label smallint NOT NULL,
    labelled_at timestamp with time zone NOT NULL,
    labelled_by text,
    CONSTRAINT labels_label_check CHECK (((label >= 0) AND (label <= 2))),
    CONSTRAINT labels_labelled_by_check CHECK (((length(labelled_by) >= 1) AND (length(labelled_by) <= 128))),
    CONSTRAINT labels_ordinal_check CHECK ((ordinal >= 1))
);

CREATE TABLE lanes (
    tenant text NOT NULL,
    next_ordinal bigint NOT NULL,
    state bytea,
    CONSTRAINT lanes_next_ordinal_check CHECK ((next_ordinal >= 1)),
    CONSTRAINT lanes_tenant_check CHECK ((length(tenant) <= 128))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');

CREATE TABLE link_events (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    ties bytea NOT NULL,
    CONSTRAINT link_events_ordinal_check CHECK ((ordinal >= 1))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');

CREATE TABLE link_keys (
    key uuid NOT NULL,
    kind smallint NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    state bytea NOT NULL,
    cluster bigint,
    exempt boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE TABLE list_entries (
    tenant text NOT NULL,
    list bigint NOT NULL,
    key uuid NOT NULL,
    value text,
    sealed bytea,
    reason text,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revision bigint NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT list_entries_author_check CHECK (((length(author) >= 1) AND (length(author) <= 128))),
    CONSTRAINT list_entries_check CHECK (((value IS NULL) <> (sealed IS NULL))),
    CONSTRAINT list_entries_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 256))),
    CONSTRAINT list_entries_value_check CHECK ((length(value) <= 512))
);

CREATE TABLE list_revisions (
    tenant text NOT NULL,
    revision bigint NOT NULL,
    purged bigint DEFAULT 0 NOT NULL,
    CONSTRAINT list_revisions_revision_check CHECK ((revision >= 1)),
    CONSTRAINT list_revisions_tenant_check CHECK ((length(tenant) <= 128))
);

CREATE TABLE lists (
    tenant text NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    effect smallint NOT NULL,
    type smallint NOT NULL,
    description text NOT NULL,
    version bigint NOT NULL,
    revision bigint NOT NULL,
    entries bigint NOT NULL,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT lists_author_check CHECK (((length(author) >= 1) AND (length(author) <= 128))),
    CONSTRAINT lists_description_check CHECK ((length(description) <= 1024)),
    CONSTRAINT lists_effect_check CHECK (((effect >= 1) AND (effect <= 3))),
    CONSTRAINT lists_entries_check CHECK ((entries >= 0)),
    CONSTRAINT lists_name_check CHECK ((name ~ '^[a-z][a-z0-9_-]{0,63}$'::text)),
    CONSTRAINT lists_type_check CHECK (((type >= 1) AND (type <= 10))),
    CONSTRAINT lists_version_check CHECK ((version >= 1))
);

ALTER TABLE lists ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lists_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE outcomes (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    kind text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    note text,
    CONSTRAINT outcomes_kind_check CHECK ((length(kind) <= 32)),
    CONSTRAINT outcomes_note_check CHECK ((length(note) <= 1024)),
    CONSTRAINT outcomes_ordinal_check CHECK ((ordinal >= 1))
);

CREATE TABLE policies (
    version bigint NOT NULL,
    yaml character varying(1000000) NOT NULL,
    author character varying(128) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    active boolean NOT NULL,
    content_hash bytea NOT NULL,
    name character varying(128),
    state character varying(32) NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    base_version bigint,
    changed_by character varying(128) NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    note character varying(4000),
    backtest_hash bytea,
    shadow_run bigint,
    shadow_by character varying(128),
    shadow_at timestamp with time zone,
    requested_by character varying(128),
    requested_at timestamp with time zone,
    request_note character varying(4000),
    approved_by character varying(128),
    approved_at timestamp with time zone,
    approval_note character varying(4000),
    second_person boolean,
    CONSTRAINT policies_active_check CHECK ((active = ((state)::text = 'active'::text))),
    CONSTRAINT policies_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT policies_revision_check CHECK ((revision >= 1))
);

CREATE TABLE policy_activations (
    id bigint NOT NULL,
    version bigint NOT NULL,
    previous_version bigint,
    kind text NOT NULL,
    actor text NOT NULL,
    reason text,
    activated_at timestamp with time zone NOT NULL,
    CONSTRAINT policy_activations_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 128))),
    CONSTRAINT policy_activations_kind_check CHECK ((kind = ANY (ARRAY['shipped'::text, 'published'::text, 'rolled_back'::text]))),
    CONSTRAINT policy_activations_reason_check CHECK ((length(reason) <= 4000))
);

ALTER TABLE policy_activations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME policy_activations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE policy_backtests (
    version bigint NOT NULL,
    content_hash bytea NOT NULL,
    actor text NOT NULL,
    run_at timestamp with time zone NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT policy_backtests_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 128))),
    CONSTRAINT policy_backtests_content_hash_check CHECK ((octet_length(content_hash) = 32))
);

CREATE TABLE second_looks (
    tenant text NOT NULL,
    cluster bigint NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    reached bigint DEFAULT 0 NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');

CREATE TABLE shadow_counts (
    tenant text NOT NULL,
    version bigint NOT NULL,
    run bigint NOT NULL,
    day date NOT NULL,
    active_version bigint NOT NULL,
    active_verdict smallint NOT NULL,
    shadow_verdict smallint NOT NULL,
    signups bigint NOT NULL,
    CONSTRAINT shadow_counts_active_verdict_check CHECK (((active_verdict >= 1) AND (active_verdict <= 3))),
    CONSTRAINT shadow_counts_shadow_verdict_check CHECK (((shadow_verdict >= 1) AND (shadow_verdict <= 3)))
);

CREATE TABLE shadow_differences (
    id bigint NOT NULL,
    tenant text NOT NULL,
    version bigint NOT NULL,
    run bigint NOT NULL,
    judged_at timestamp with time zone NOT NULL,
    signup_id text NOT NULL,
    active_version bigint NOT NULL,
    active_verdict smallint NOT NULL,
    shadow_verdict smallint NOT NULL,
    active_score double precision NOT NULL,
    shadow_score double precision NOT NULL,
    reasons text[] NOT NULL,
    CONSTRAINT shadow_differences_active_verdict_check CHECK (((active_verdict >= 1) AND (active_verdict <= 3))),
    CONSTRAINT shadow_differences_shadow_verdict_check CHECK (((shadow_verdict >= 1) AND (shadow_verdict <= 3))),
    CONSTRAINT shadow_differences_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128)))
);

ALTER TABLE shadow_differences ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME shadow_differences_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE signup_ids (
    tenant text NOT NULL,
    signup_id text NOT NULL,
    ordinal bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT signup_ids_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT signup_ids_ordinal_check CHECK ((ordinal >= 1)),
    CONSTRAINT signup_ids_signup_id_check CHECK (((length(signup_id) >= 1) AND (length(signup_id) <= 128)))
);

CREATE TABLE signups (
    tenant text NOT NULL,
    ordinal bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    account bigint NOT NULL,
    facts bytea NOT NULL,
    CONSTRAINT signups_ordinal_check CHECK ((ordinal >= 1))
)
PARTITION BY RANGE (recorded_at);
ALTER TABLE ONLY signups ALTER COLUMN facts SET STORAGE EXTERNAL;

ALTER TABLE ONLY appeals
    ADD CONSTRAINT appeals_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY case_cursors
    ADD CONSTRAINT case_cursors_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY case_events
    ADD CONSTRAINT case_events_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY case_moves
    ADD CONSTRAINT case_moves_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY case_notes
    ADD CONSTRAINT case_notes_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY case_signups
    ADD CONSTRAINT case_signups_pkey PRIMARY KEY (tenant, ordinal);

ALTER TABLE ONLY cases
    ADD CONSTRAINT cases_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY cluster_members
    ADD CONSTRAINT cluster_members_pkey PRIMARY KEY (tenant, ordinal);

ALTER TABLE ONLY cluster_merges
    ADD CONSTRAINT cluster_merges_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY cluster_resolution_members
    ADD CONSTRAINT cluster_resolution_members_pkey PRIMARY KEY (tenant, resolution_id, ordinal);

ALTER TABLE ONLY cluster_resolutions
    ADD CONSTRAINT cluster_resolutions_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY cluster_ties
    ADD CONSTRAINT cluster_ties_pkey PRIMARY KEY (tenant, key, ordinal);

ALTER TABLE ONLY cluster_workers
    ADD CONSTRAINT cluster_workers_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY clusters
    ADD CONSTRAINT clusters_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY decision_hour_reasons
    ADD CONSTRAINT decision_hour_reasons_pkey PRIMARY KEY (tenant, hour, code);

ALTER TABLE ONLY decision_hours
    ADD CONSTRAINT decision_hours_pkey PRIMARY KEY (tenant, hour);

ALTER TABLE ONLY decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (tenant, ordinal, revision, recorded_at);

ALTER TABLE ONLY key_exemptions
    ADD CONSTRAINT key_exemptions_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY labels
    ADD CONSTRAINT labels_pkey PRIMARY KEY (tenant, ordinal);

ALTER TABLE ONLY lanes
    ADD CONSTRAINT lanes_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY link_events
    ADD CONSTRAINT link_events_pkey PRIMARY KEY (tenant, ordinal);

ALTER TABLE ONLY link_keys
    ADD CONSTRAINT link_keys_pkey PRIMARY KEY (key);

ALTER TABLE ONLY list_entries
    ADD CONSTRAINT list_entries_pkey PRIMARY KEY (tenant, list, key);

ALTER TABLE ONLY list_revisions
    ADD CONSTRAINT list_revisions_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY lists
    ADD CONSTRAINT lists_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY outcomes
    ADD CONSTRAINT outcomes_pkey PRIMARY KEY (tenant, ordinal, kind);

ALTER TABLE ONLY policies
    ADD CONSTRAINT pk_policies PRIMARY KEY (version);

ALTER TABLE ONLY policy_activations
    ADD CONSTRAINT policy_activations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY policy_backtests
    ADD CONSTRAINT policy_backtests_pkey PRIMARY KEY (version);

ALTER TABLE ONLY second_looks
    ADD CONSTRAINT second_looks_pkey PRIMARY KEY (tenant, cluster);

ALTER TABLE ONLY shadow_counts
    ADD CONSTRAINT shadow_counts_pkey PRIMARY KEY (tenant, version, run, day, active_version, active_verdict, shadow_verdict);

ALTER TABLE ONLY shadow_differences
    ADD CONSTRAINT shadow_differences_pkey PRIMARY KEY (id);

ALTER TABLE ONLY signup_ids
    ADD CONSTRAINT signup_ids_pkey PRIMARY KEY (tenant, signup_id);

ALTER TABLE ONLY signup_ids
    ADD CONSTRAINT signup_ids_tenant_ordinal_key UNIQUE (tenant, ordinal);

ALTER TABLE ONLY signups
    ADD CONSTRAINT signups_pkey PRIMARY KEY (tenant, ordinal, recorded_at);

CREATE INDEX appeals_case ON appeals USING btree (tenant, case_id, opened_at, id);

CREATE INDEX appeals_signup ON appeals USING btree (tenant, ordinal);

CREATE INDEX audit_actor ON audit USING btree (actor, id);

CREATE INDEX audit_subject ON audit USING btree (subject, id);

CREATE INDEX case_events_case ON case_events USING btree (tenant, case_id, id);

CREATE INDEX case_events_resolved ON case_events USING btree (tenant, at) WHERE (kind = 'resolved'::text);

CREATE INDEX case_notes_case ON case_notes USING btree (tenant, case_id, at, id);

CREATE INDEX case_signups_case ON case_signups USING btree (tenant, case_id, score DESC, ordinal);

CREATE INDEX case_signups_code ON case_signups USING btree (tenant, outward_code);

CREATE INDEX case_signups_recorded ON case_signups USING btree (tenant, recorded_at, ordinal);

CREATE INDEX case_signups_score ON case_signups USING btree (tenant, score DESC, ordinal DESC);

CREATE INDEX case_signups_signup ON case_signups USING btree (tenant, signup_id);

CREATE INDEX cases_claimed ON cases USING btree (tenant, claimed_by, claimed_until) WHERE (claimed_by IS NOT NULL);

CREATE UNIQUE INDEX cases_cluster ON cases USING btree (tenant, cluster) WHERE ((cluster IS NOT NULL) AND (merged_into IS NULL));

CREATE INDEX cases_labels ON cases USING gin (labels);

CREATE INDEX cases_merged ON cases USING btree (tenant, merged_into) WHERE (merged_into IS NOT NULL);

CREATE INDEX cases_opened ON cases USING btree (tenant, state, opened_at, id) WHERE (merged_into IS NULL);

CREATE INDEX cases_queue ON cases USING btree (tenant, state, appealed DESC, priority DESC, opened_at, id) WHERE (merged_into IS NULL);

CREATE INDEX cases_reason_codes ON cases USING gin (reason_codes);

CREATE INDEX cases_resolved ON cases USING btree (tenant, resolved_at) WHERE ((resolved_at IS NOT NULL) AND (merged_into IS NULL));

CREATE INDEX cases_score ON cases USING btree (tenant, state, score DESC, opened_at, id) WHERE (merged_into IS NULL);

CREATE INDEX cases_size ON cases USING btree (tenant, state, signups DESC, opened_at, id) WHERE (merged_into IS NULL);

CREATE INDEX cluster_members_cluster ON cluster_members USING btree (tenant, cluster, ordinal);

CREATE INDEX cluster_ties_cut ON cluster_ties USING btree (tenant, key, ordinal) WHERE (cut_at IS NOT NULL);

CREATE INDEX cluster_ties_ordinal ON cluster_ties USING btree (tenant, ordinal);

CREATE INDEX decisions_changes ON ONLY decisions USING btree (tenant, xid, ordinal, revision) WHERE (revision > 1);

CREATE INDEX decisions_stream ON ONLY decisions USING btree (tenant, xid, ordinal, revision);

CREATE UNIQUE INDEX ix_policies_active ON policies USING btree (active) WHERE active;

CREATE INDEX key_exemptions_due ON key_exemptions USING btree (expires_at) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX key_exemptions_in_force ON key_exemptions USING btree (tenant, key) WHERE (ended_at IS NULL);

CREATE INDEX link_keys_cluster ON link_keys USING btree (cluster) WHERE (cluster IS NOT NULL);

CREATE INDEX list_entries_expired ON list_entries USING btree (tenant, expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX list_entries_removed ON list_entries USING btree (tenant, removed_at) WHERE (removed_at IS NOT NULL);

CREATE INDEX list_entries_revision ON list_entries USING btree (tenant, revision);

CREATE UNIQUE INDEX lists_name ON lists USING btree (tenant, name) WHERE (removed_at IS NULL);

CREATE INDEX shadow_differences_moves ON shadow_differences USING btree (tenant, version, run, active_verdict, shadow_verdict, id);

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER cluster_members_added AFTER INSERT ON cluster_members REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();

CREATE TRIGGER cluster_members_changed AFTER UPDATE ON cluster_members REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();

CREATE TRIGGER cluster_members_removed AFTER DELETE ON cluster_members REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_member_moves();

ALTER TABLE ONLY appeals
    ADD CONSTRAINT appeals_tenant_case_id_fkey FOREIGN KEY (tenant, case_id) REFERENCES cases(tenant, id);

ALTER TABLE ONLY case_events
    ADD CONSTRAINT case_events_tenant_case_id_fkey FOREIGN KEY (tenant, case_id) REFERENCES cases(tenant, id);

ALTER TABLE ONLY case_notes
    ADD CONSTRAINT case_notes_tenant_case_id_fkey FOREIGN KEY (tenant, case_id) REFERENCES cases(tenant, id);

ALTER TABLE ONLY case_signups
    ADD CONSTRAINT case_signups_tenant_case_id_fkey FOREIGN KEY (tenant, case_id) REFERENCES cases(tenant, id);

ALTER TABLE ONLY cluster_resolution_members
    ADD CONSTRAINT cluster_resolution_members_tenant_resolution_id_fkey FOREIGN KEY (tenant, resolution_id) REFERENCES cluster_resolutions(tenant, id);

ALTER TABLE ONLY policy_activations
    ADD CONSTRAINT policy_activations_version_fkey FOREIGN KEY (version) REFERENCES policies(version);

ALTER TABLE ONLY policy_backtests
    ADD CONSTRAINT policy_backtests_version_fkey FOREIGN KEY (version) REFERENCES policies(version);
