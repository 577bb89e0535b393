-- select_usage_rows: what a customer is billed for one hour, with amounts as text, and whether each cost adds up.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT u.resource_id, u.model_id, u.id, u.event_count, u.prompt_tokens, u.cached_tokens, u.completion_tokens,
  u.billable_prompt_tokens, u.applied_prompt_rate::text AS prompt_rate, u.applied_cached_rate::text AS cached_rate,
  u.applied_completion_rate::text AS completion_rate, u.cost::text AS cost,
  u.cost = u.billable_prompt_tokens * u.applied_prompt_rate + u.cached_tokens * u.applied_cached_rate
    + u.completion_tokens * u.applied_completion_rate AS adds_up,
  u.rated_at
FROM rated_usage u
WHERE u.auth_id = %(auth_id)s AND u.window_start >= %(window_start)s::timestamptz
  AND u.window_start < %(window_end)s::timestamptz
ORDER BY u.resource_id, u.model_id, u.window_start
