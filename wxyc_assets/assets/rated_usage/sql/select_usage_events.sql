-- select_usage_events: what a customer used in one hour according to the events that exist now, billed or not.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT e.resource_id, e.model, e.base_model, e.org AS org_id, count(*) AS events, sum(e.prompt_tokens) AS prompt_tokens,
  sum(e.cached_tokens) AS cached_tokens, sum(e.completion_tokens) AS completion_tokens,
  count(*) FILTER (WHERE e.aborted) AS aborted, max(e.created_at) AS last_came_at
-- Where billing_event has no org_id, the name stands for the null.
FROM (SELECT NULL::text AS org_id) none
CROSS JOIN LATERAL (
  SELECT b.*, org_id::text AS org
  FROM billing_event b
  WHERE b.auth_id = %(auth_id)s AND COALESCE(b.event_ts, b.created_at) >= %(window_start)s::timestamptz
    AND COALESCE(b.event_ts, b.created_at) < %(window_end)s::timestamptz
) e
GROUP BY e.resource_id, e.model, e.base_model, e.org
ORDER BY e.resource_id, e.model, e.base_model, e.org
