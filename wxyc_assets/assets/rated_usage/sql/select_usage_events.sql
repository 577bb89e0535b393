-- select_usage_events: what a customer used in one hour according to the events that exist now, billed or not.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT e.resource_id, e.model, e.base_model, count(*) AS events, sum(e.prompt_tokens) AS prompt_tokens,
  sum(e.cached_tokens) AS cached_tokens, sum(e.completion_tokens) AS completion_tokens,
  count(*) FILTER (WHERE e.aborted) AS aborted, max(e.created_at) AS last_came_at
FROM billing_event e
WHERE e.auth_id = %(auth_id)s AND COALESCE(e.event_ts, e.created_at) >= %(window_start)s::timestamptz
  AND COALESCE(e.event_ts, e.created_at) < %(window_end)s::timestamptz
GROUP BY e.resource_id, e.model, e.base_model
ORDER BY e.resource_id, e.model, e.base_model
