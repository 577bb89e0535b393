-- select_export: every billed row of some hours, by hour and customer, with amounts and rates as text.
--
-- Parameters
--   since   timestamptz   the first hour
--   until   timestamptz   the end of the last hour, not included
SELECT u.id, u.auth_id, u.resource_id, u.model_id, u.window_start, u.window_end, u.prompt_tokens, u.cached_tokens,
  u.completion_tokens, u.billable_prompt_tokens, u.event_count, u.applied_prompt_rate::text AS applied_prompt_rate,
  u.applied_cached_rate::text AS applied_cached_rate, u.applied_completion_rate::text AS applied_completion_rate,
  u.cost::text AS cost, u.rated_at
FROM rated_usage u
WHERE u.window_start >= %(since)s::timestamptz AND u.window_start < %(until)s::timestamptz
ORDER BY u.window_start, u.auth_id, u.resource_id, u.model_id
