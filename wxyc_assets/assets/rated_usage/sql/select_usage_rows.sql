-- select_usage_rows: what a customer is billed for one hour, with amounts as text, and whether each cost adds up.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT u.resource_id, u.model_id, u.id::text AS id, u.org AS org_id, u.event_count, u.prompt_tokens, u.cached_tokens, u.completion_tokens,
  u.billable_prompt_tokens, u.applied_prompt_rate::text AS prompt_rate, u.applied_cached_rate::text AS cached_rate,
  u.applied_completion_rate::text AS completion_rate, u.cost::text AS cost,
  u.cost = u.billable_prompt_tokens * u.applied_prompt_rate + u.cached_tokens * u.applied_cached_rate
    + u.completion_tokens * u.applied_completion_rate AS adds_up,
  u.rated_at
-- Where rated_usage has no org_id, the name stands for the null.
FROM (SELECT NULL::text AS org_id) none
CROSS JOIN LATERAL (
  SELECT r.*, org_id::text AS org
  FROM rated_usage r
  WHERE r.auth_id = %(auth_id)s AND r.window_start >= %(window_start)s::timestamptz
    AND r.window_start < %(window_end)s::timestamptz
) u
ORDER BY u.resource_id, u.model_id, u.window_start
