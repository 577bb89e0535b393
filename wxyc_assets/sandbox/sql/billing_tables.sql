-- billing_tables: creates the tables of the gateway (billing_event, io_log) and of the rater (rated_usage) in the first
-- schema of the search_path.
CREATE TABLE billing_event (
    request_id varchar(255) NOT NULL CONSTRAINT pk_billing_event PRIMARY KEY,
    auth_id varchar(64),
    user_id varchar(32),
    group_id varchar(32),
    resource_id varchar(64),
    resource_type varchar(64),
    model varchar(255),
    base_model varchar(255),
    adapter varchar(255),
    prompt_tokens integer NOT NULL DEFAULT 0,
    cached_tokens integer NOT NULL DEFAULT 0,
    completion_tokens integer NOT NULL DEFAULT 0,
    finish_reason varchar(64),
    gpu_type varchar(64),
    aborted boolean NOT NULL DEFAULT false,
    event_ts timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX billing_event_auth_id_created_at_ix ON billing_event (auth_id, created_at);
CREATE INDEX billing_event_created_ix ON billing_event (created_at);
CREATE INDEX billing_event_rating_instant_ix ON billing_event (COALESCE(event_ts, created_at));

CREATE TABLE rated_usage (
    id varchar(32) NOT NULL CONSTRAINT pk_rated_usage PRIMARY KEY,
    auth_id varchar(64) NOT NULL,
    resource_id varchar(64) NOT NULL,
    model_id varchar(255) NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    prompt_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    billable_prompt_tokens bigint NOT NULL,
    cost numeric(20, 9) NOT NULL,
    applied_prompt_rate numeric(20, 9) NOT NULL DEFAULT 0,
    applied_cached_rate numeric(20, 9) NOT NULL DEFAULT 0,
    applied_completion_rate numeric(20, 9) NOT NULL DEFAULT 0,
    event_count bigint NOT NULL,
    rated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rated_usage_auth_resource_model_window_uq UNIQUE (auth_id, resource_id, model_id, window_start)
);
CREATE INDEX rated_usage_auth_window_ix ON rated_usage (auth_id, window_start);
CREATE INDEX rated_usage_window_start_ix ON rated_usage (window_start);

CREATE TABLE io_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT io_log_pkey PRIMARY KEY,
    request_id varchar(255) NOT NULL,
    auth_id varchar(64),
    user_id varchar(32),
    group_id varchar(32),
    resource_id varchar(64),
    resource_type varchar(64),
    model varchar(255),
    request_body text,
    request_truncated boolean NOT NULL DEFAULT false,
    response_body text,
    response_truncated boolean NOT NULL DEFAULT false,
    status_code integer,
    streamed boolean NOT NULL DEFAULT false,
    latency_ms bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    body_tsv tsvector
);
CREATE INDEX io_log_body_tsv_ix ON io_log USING gin (body_tsv);
CREATE INDEX io_log_auth_id_created_at_ix ON io_log (auth_id, created_at);
CREATE INDEX io_log_created_ix ON io_log (created_at);
CREATE INDEX io_log_request_ix ON io_log (request_id);
