-- rate_hour: makes rated_usage hold exactly what the events of one hour cost. It deletes rows that the hour no longer produces,
-- leaves correct rows untouched, and records every inserted, changed or deleted row in wxyc_assets.usage_change, with its state
-- before and after and with its cause, and what it saw of the hour in wxyc_assets.rated_hour. It reads one snapshot, and returns
-- one row of counts and sums.
--
-- Tokens are summed before they are priced: all events of a group have the same rate, and NUMERIC is exact, so the result is
-- the sum over the single events. Rates are final: they are quantised before they are multiplied, and nothing is rounded later.
--
-- Parameters
--   window_start, window_end   timestamptz   the hour; its end is excluded
--   priced_models, priced_prompt_rates, priced_cached_rates, priced_completion_rates       text[]   USD per token, by model
--   derived_models, derived_prompt_rates, derived_cached_rates, derived_completion_rates   text[]   of fine-tunes, by base
--   some_rate_is_free          boolean       whether a model has rates of 0 beside others: only then can tokens cost nothing
--   run_id, origin             text          Dagster's run id; routine | explicit
--   price_digest               text          SHA-256 of the price file, hex
--
-- Parts, which billing_tables.py fills in for the columns that the station's tables have
--   event_org, stored_org                 the organisation of an event and of a stored row; null where there is no column
--   id_type, id_default                   the type of rated_usage.id, and its default for new rows; null: the id is the md5
--   org_column, org_value, org_update     rated_usage.org_id in the INSERT; empty where there is no column
WITH rate AS MATERIALIZED (
  -- Rates of models by their own name, then of fine-tunes by their base. charged_kinds has a bit for each rate above 0.
  SELECT p.number, p.number <= cardinality(%(priced_models)s::text[]) AS own, p.model, p.prompt::numeric(20, 9) AS prompt,
    p.cached::numeric(20, 9) AS cached, p.completion::numeric(20, 9) AS completion,
    (p.prompt::numeric > 0)::integer + 2 * (p.cached::numeric > 0)::integer + 4 * (p.completion::numeric > 0)::integer
      AS charged_kinds
  FROM unnest(
    %(priced_models)s::text[] || %(derived_models)s::text[],
    %(priced_prompt_rates)s::text[] || %(derived_prompt_rates)s::text[],
    %(priced_cached_rates)s::text[] || %(derived_cached_rates)s::text[],
    %(priced_completion_rates)s::text[] || %(derived_completion_rates)s::text[]
  ) WITH ORDINALITY AS p (model, prompt, cached, completion, number)
), used AS (
  SELECT e.auth_id, e.resource_id, e.model, e.base_model, {event_org} AS org_id,
    -- A bit for each kind of token, as in charged_kinds: either all events of a group cost something, or none does. If no rate
    -- is 0, it is a constant and costs no time.
    CASE WHEN %(some_rate_is_free)s::boolean THEN
      (e.prompt_tokens > e.cached_tokens)::integer + 2 * (e.cached_tokens <> 0)::integer + 4 * (e.completion_tokens <> 0)::integer
    END AS token_kinds,
    count(*) AS events,
    max(e.created_at) AS newest_event_at,
    min(LEAST(e.prompt_tokens, e.cached_tokens, e.completion_tokens)) < 0 AS negative,
    sum(e.prompt_tokens) AS prompt_tokens,
    sum(e.cached_tokens) AS cached_tokens,
    sum(e.completion_tokens) AS completion_tokens,
    -- The sum of GREATEST(prompt - cached, 0), without a difference that could overflow an integer.
    sum(GREATEST(e.prompt_tokens, e.cached_tokens)) - sum(e.cached_tokens) AS billable_prompt_tokens
  FROM billing_event e
  WHERE COALESCE(e.event_ts, e.created_at) >= %(window_start)s::timestamptz
    AND COALESCE(e.event_ts, e.created_at) < %(window_end)s::timestamptz
  GROUP BY 1, 2, 3, 4, 5, 6
), resolved AS MATERIALIZED (
  SELECT u.*,
    u.auth_id IS NOT NULL AND u.resource_id IS NOT NULL AND u.model IS NOT NULL AS attributable,
    COALESCE(own.number, base.number) AS rate_number,
    u.token_kinds <> 0 AND COALESCE(own.charged_kinds, base.charged_kinds) <> 0
      AND u.token_kinds & COALESCE(own.charged_kinds, base.charged_kinds) = 0 AS uncharged
  FROM used u
  LEFT JOIN rate own ON own.own AND own.model = u.model
  LEFT JOIN rate base ON NOT base.own AND starts_with(u.model, 'ft:') AND base.model = u.base_model
), rollup AS MATERIALIZED (
  SELECT r.auth_id, r.resource_id, r.model AS model_id,
    sum(r.prompt_tokens)::bigint AS prompt_tokens,
    sum(r.cached_tokens)::bigint AS cached_tokens,
    sum(r.completion_tokens)::bigint AS completion_tokens,
    sum(r.billable_prompt_tokens)::bigint AS billable_prompt_tokens,
    sum(r.events)::bigint AS events,
    max(r.newest_event_at) AS newest_event_at,
    bool_or(r.negative) AS negative,
    sum(r.events) FILTER (WHERE r.uncharged) AS uncharged_events,
    min(r.rate_number) AS rate_number,
    max(r.org_id) AS org_id,
    -- Events of one fine-tune that name different bases: its rate is unknown.
    min(r.rate_number) <> max(r.rate_number) AS ambiguous_base,
    -- Events that name different organisations: who pays is unknown.
    (min(r.org_id) <> max(r.org_id)) IS TRUE AS ambiguous_org
  FROM resolved r
  WHERE r.attributable AND r.rate_number IS NOT NULL
  GROUP BY 1, 2, 3
), billed AS MATERIALIZED (
  SELECT r.*, %(window_start)s::timestamptz AS window_start, p.prompt AS prompt_rate, p.cached AS cached_rate,
    p.completion AS completion_rate,
    r.billable_prompt_tokens * p.prompt + r.cached_tokens * p.cached + r.completion_tokens * p.completion AS cost
  FROM rollup r
  JOIN rate p ON p.number = r.rate_number
  WHERE NOT r.ambiguous_base AND NOT r.ambiguous_org
), stored AS MATERIALIZED (
  SELECT s.*, {stored_org} AS stored_org
  FROM rated_usage s
  WHERE s.window_start >= %(window_start)s::timestamptz AND s.window_start < %(window_end)s::timestamptz
), prior AS MATERIALIZED (
  -- The rating before this one, if its prices were others.
  SELECT h.newest_event_at
  FROM wxyc_assets.rated_hour h
  WHERE h.window_start = %(window_start)s::timestamptz AND h.price_digest <> %(price_digest)s
), difference AS MATERIALIZED (
  SELECT
    -- The length is in characters, as in the ids of the predecessor.
    COALESCE(s.id, {id_default}, md5(
      length(r.auth_id) || ':' || r.auth_id || '|' || length(r.resource_id) || ':' || r.resource_id || '|'
      || length(r.model_id) || ':' || r.model_id || '|' || extract(epoch FROM r.window_start)::bigint)::{id_type}) AS usage_id,
    COALESCE(s.auth_id, r.auth_id) AS auth_id,
    COALESCE(s.resource_id, r.resource_id) AS resource_id,
    COALESCE(s.model_id, r.model_id) AS model_id,
    COALESCE(s.window_start, r.window_start) AS window_start,
    CASE WHEN s.id IS NULL THEN 'insert' WHEN r.auth_id IS NULL THEN 'delete' ELSE 'change' END AS kind,
    CASE
      -- A new row of events that the rating before had seen: their model had no price then.
      WHEN s.id IS NULL THEN
        CASE WHEN r.newest_event_at <= (SELECT p.newest_event_at FROM prior p) THEN 'prices' ELSE 'events' END
      -- A deleted row whose events are still there: their model has no price any more.
      WHEN r.auth_id IS NULL THEN
        CASE WHEN (s.auth_id, s.resource_id, s.model_id) IN (
          SELECT x.auth_id, x.resource_id, x.model FROM resolved x WHERE x.attributable AND x.rate_number IS NULL
        ) THEN 'prices' ELSE 'events' END
      WHEN (s.applied_prompt_rate, s.applied_cached_rate, s.applied_completion_rate)
        = (r.prompt_rate, r.cached_rate, r.completion_rate) THEN 'events'
      WHEN (s.prompt_tokens, s.cached_tokens, s.completion_tokens, s.billable_prompt_tokens, s.event_count)
        = (r.prompt_tokens, r.cached_tokens, r.completion_tokens, r.billable_prompt_tokens, r.events) THEN 'prices'
      ELSE 'both'
    END AS cause,
    CASE WHEN s.id IS NOT NULL THEN ROW(
      s.window_end, s.prompt_tokens, s.cached_tokens, s.completion_tokens, s.billable_prompt_tokens, s.cost,
      s.applied_prompt_rate, s.applied_cached_rate, s.applied_completion_rate, s.event_count, s.rated_at,
      s.stored_org
    )::wxyc_assets.usage_state END AS before,
    CASE WHEN r.auth_id IS NOT NULL THEN ROW(
      %(window_end)s::timestamptz, r.prompt_tokens, r.cached_tokens, r.completion_tokens, r.billable_prompt_tokens, r.cost,
      r.prompt_rate, r.cached_rate, r.completion_rate, r.events, now(),
      -- A row never loses its organisation to events that name none.
      COALESCE(r.org_id, s.stored_org)
    )::wxyc_assets.usage_state END AS after
  FROM billed r
  FULL JOIN stored s ON s.auth_id = r.auth_id AND s.resource_id = r.resource_id AND s.model_id = r.model_id
    AND s.window_start = r.window_start
  WHERE (
    s.window_end, s.prompt_tokens, s.cached_tokens, s.completion_tokens, s.billable_prompt_tokens, s.cost,
    s.applied_prompt_rate, s.applied_cached_rate, s.applied_completion_rate, s.event_count, s.stored_org
  ) IS DISTINCT FROM (
    %(window_end)s::timestamptz, r.prompt_tokens, r.cached_tokens, r.completion_tokens, r.billable_prompt_tokens, r.cost,
    r.prompt_rate, r.cached_rate, r.completion_rate, r.events, COALESCE(r.org_id, s.stored_org)
  )
), deleted AS (
  -- An array of keys, whatever number the planner expects: a join could read the whole table.
  DELETE FROM rated_usage WHERE id = ANY (ARRAY(SELECT d.usage_id FROM difference d WHERE d.kind = 'delete'))
  RETURNING id
), written AS (
  INSERT INTO rated_usage AS u (
    id, auth_id, resource_id, model_id, window_start, window_end, prompt_tokens, cached_tokens, completion_tokens,
    billable_prompt_tokens, cost, applied_prompt_rate, applied_cached_rate, applied_completion_rate, event_count, rated_at
    {org_column}
  )
  SELECT d.usage_id, d.auth_id, d.resource_id, d.model_id, d.window_start, (d.after).window_end, (d.after).prompt_tokens,
    (d.after).cached_tokens, (d.after).completion_tokens, (d.after).billable_prompt_tokens, (d.after).cost,
    (d.after).applied_prompt_rate, (d.after).applied_cached_rate, (d.after).applied_completion_rate, (d.after).event_count,
    (d.after).rated_at
    {org_value}
  FROM difference d
  -- Runs after the deletions: a deleted row can have an id that is inserted here.
  WHERE d.kind <> 'delete' AND (SELECT count(*) FROM deleted) >= 0
  ON CONFLICT (auth_id, resource_id, model_id, window_start) DO UPDATE SET
    window_end = EXCLUDED.window_end,
    prompt_tokens = EXCLUDED.prompt_tokens,
    cached_tokens = EXCLUDED.cached_tokens,
    completion_tokens = EXCLUDED.completion_tokens,
    billable_prompt_tokens = EXCLUDED.billable_prompt_tokens,
    cost = EXCLUDED.cost,
    applied_prompt_rate = EXCLUDED.applied_prompt_rate,
    applied_cached_rate = EXCLUDED.applied_cached_rate,
    applied_completion_rate = EXCLUDED.applied_completion_rate,
    event_count = EXCLUDED.event_count,
    rated_at = EXCLUDED.rated_at
    {org_update}
  RETURNING u.id
), kept AS (
  INSERT INTO wxyc_assets.usage_change (
    usage_id, window_start, auth_id, resource_id, model_id, kind, before, after, run_id, origin, price_digest, cause
  )
  SELECT d.usage_id, d.window_start, d.auth_id, d.resource_id, d.model_id, d.kind, d.before, d.after, %(run_id)s, %(origin)s,
    %(price_digest)s, d.cause
  FROM difference d
  RETURNING change_id
), seen AS (
  INSERT INTO wxyc_assets.rated_hour AS h (window_start, rated_at, run_id, price_digest, events, newest_event_at)
  SELECT %(window_start)s::timestamptz, now(), %(run_id)s, %(price_digest)s, COALESCE(sum(r.events), 0),
    COALESCE(max(r.newest_event_at), '-infinity')
  FROM resolved r
  ON CONFLICT (window_start) DO UPDATE SET
    rated_at = EXCLUDED.rated_at,
    run_id = EXCLUDED.run_id,
    price_digest = EXCLUDED.price_digest,
    events = EXCLUDED.events,
    newest_event_at = EXCLUDED.newest_event_at
)
SELECT
  events.in_window AS events,
  bills.events_rated,
  events.unpriced AS unpriced_events,
  events.unattributable AS unattributable_events,
  ambiguous.base AS ambiguous_base_events,
  ambiguous.org AS ambiguous_org_events,
  bills.uncharged AS uncharged_events,
  bills.rollups AS rollups_written,
  changes.inserted AS rows_inserted,
  changes.changed AS rows_changed,
  bills.rollups - changes.inserted - changes.changed AS rows_unchanged,
  changes.deleted AS reconciled_deletions,
  (SELECT count(*) FROM stored) AS rows_before,
  (SELECT count(*) FROM written) AS rows_written,
  (SELECT count(*) FROM deleted) AS rows_deleted,
  (SELECT count(*) FROM kept) AS changes_kept,
  bills.cost::text AS total_cost,
  (SELECT COALESCE(sum(s.cost), 0)::text FROM stored s) AS cost_before,
  changes.raised::text AS cost_raised,
  changes.lowered::text AS cost_lowered,
  changes.repriced AS rows_repriced,
  bills.negative AS negative_rows,
  (
    SELECT array_agg(n.name)
    FROM (
      SELECT b.model_id || ' of ' || b.auth_id || ' on ' || b.resource_id || ' (' || b.cost || ' USD)' AS name
      FROM billed b
      WHERE b.negative
      LIMIT 3
    ) n
  ) AS negative_named,
  (
    SELECT jsonb_object_agg(m.model_id, m.moved::text)
    FROM (
      SELECT d.model_id, sum(COALESCE((d.after).cost, 0) - COALESCE((d.before).cost, 0)) AS moved
      FROM difference d
      WHERE d.cause <> 'events'
      GROUP BY 1
    ) m
  ) AS moved_by_prices,
  (
    SELECT jsonb_agg(jsonb_build_object('auth_id', c.auth_id, 'events', c.events, 'cost', c.cost::text))
    FROM (
      SELECT b.auth_id, sum(b.events)::bigint AS events, sum(b.cost) AS cost
      FROM billed b
      GROUP BY b.auth_id
      ORDER BY sum(b.cost) DESC, b.auth_id
      LIMIT 10
    ) c
  ) AS top_customers
FROM (
  SELECT COALESCE(sum(r.events), 0)::bigint AS in_window,
    COALESCE(sum(r.events) FILTER (WHERE NOT r.attributable), 0)::bigint AS unattributable,
    COALESCE(sum(r.events) FILTER (WHERE r.attributable AND r.rate_number IS NULL), 0)::bigint AS unpriced
  FROM resolved r
) events
CROSS JOIN (
  SELECT COALESCE(sum(r.events) FILTER (WHERE r.ambiguous_base), 0)::bigint AS base,
    COALESCE(sum(r.events) FILTER (WHERE r.ambiguous_org AND NOT r.ambiguous_base), 0)::bigint AS org
  FROM rollup r
) ambiguous
CROSS JOIN (
  SELECT count(*) AS rollups, COALESCE(sum(b.events), 0)::bigint AS events_rated,
    COALESCE(sum(b.uncharged_events), 0)::bigint AS uncharged, count(*) FILTER (WHERE b.negative) AS negative,
    COALESCE(sum(b.cost), 0) AS cost
  FROM billed b
) bills
CROSS JOIN (
  SELECT count(*) FILTER (WHERE d.kind = 'insert') AS inserted,
    count(*) FILTER (WHERE d.kind = 'change') AS changed,
    count(*) FILTER (WHERE d.kind = 'delete') AS deleted,
    count(*) FILTER (WHERE d.cause <> 'events') AS repriced,
    COALESCE(sum(d.moved) FILTER (WHERE d.moved > 0), 0) AS raised,
    COALESCE(sum(-d.moved) FILTER (WHERE d.moved < 0), 0) AS lowered
  FROM (SELECT kind, cause, COALESCE((after).cost, 0) - COALESCE((before).cost, 0) AS moved FROM difference) d
) changes
