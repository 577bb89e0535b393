-- digest_hour: rows, cost and SHA-256 of one hour of rated_usage; number and SHA-256 of its events; the prices and the run of its
-- last rating, null if no run rated it. A digest is that of the digests of the single rows, so that an hour may have any size.
--
-- Parameters
--   window_start, window_end   timestamptz   the hour; its end is excluded
--
-- Parts, which billing_tables.py fills in: row_org and event_org, the organisation of a row and of an event; empty where the
-- station's tables have no such column
SELECT r.row_count, r.cost, r.rows_digest, e.event_count, e.events_digest, h.price_digest, h.run_id AS rated_by
FROM (
  SELECT count(*) AS row_count, COALESCE(sum(u.cost), 0)::numeric(30, 9)::text AS cost,
    encode(sha256(COALESCE(string_agg(
      sha256(convert_to(ROW(
        u.id, u.auth_id, u.resource_id, u.model_id, u.window_start, u.window_end, u.prompt_tokens, u.cached_tokens,
        u.completion_tokens, u.billable_prompt_tokens, u.cost, u.applied_prompt_rate, u.applied_cached_rate,
        u.applied_completion_rate, u.event_count, u.rated_at{row_org})::text, 'UTF8')), ''
      ORDER BY u.auth_id COLLATE "C", u.resource_id COLLATE "C", u.model_id COLLATE "C"), '')), 'hex') AS rows_digest
  FROM rated_usage u
  WHERE u.window_start >= %(window_start)s::timestamptz AND u.window_start < %(window_end)s::timestamptz
) r
CROSS JOIN (
  SELECT count(*) AS event_count,
    encode(sha256(COALESCE(string_agg(
      sha256(convert_to(ROW(
        b.request_id, b.auth_id, b.resource_id, b.model, b.base_model, b.prompt_tokens, b.cached_tokens, b.completion_tokens,
        b.event_ts, b.created_at{event_org})::text, 'UTF8')), ''
      ORDER BY b.request_id COLLATE "C"), '')), 'hex') AS events_digest
  FROM billing_event b
  WHERE COALESCE(b.event_ts, b.created_at) >= %(window_start)s::timestamptz
    AND COALESCE(b.event_ts, b.created_at) < %(window_end)s::timestamptz
) e
LEFT JOIN wxyc_assets.rated_hour h ON h.window_start = %(window_start)s::timestamptz
