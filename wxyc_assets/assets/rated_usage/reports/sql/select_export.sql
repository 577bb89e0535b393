-- select_export: every billed row of some hours, by hour and customer, with amounts and rates as text, and
-- the organisation, where rated_usage has it.
--
-- Parameters
--   since   timestamptz   the first hour
--   until   timestamptz   the end of the last hour, not included
SELECT u.id::text AS id, u.auth_id, u.org AS org_id, u.resource_id, u.model_id, u.window_start, u.window_end,
  u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.billable_prompt_tokens, u.event_count, u.applied_prompt_rate::text AS applied_prompt_rate,
  u.applied_cached_rate::text AS applied_cached_rate, u.applied_completion_rate::text AS applied_completion_rate,
  u.cost::text AS cost, u.rated_at
-- Without the column, the name org_id stands for the null.
FROM (SELECT NULL::text AS org_id) none
CROSS JOIN LATERAL (
  SELECT r.*, org_id::text AS org
  FROM rated_usage r
  WHERE r.window_start >= %(since)s::timestamptz AND r.window_start < %(until)s::timestamptz
) u
ORDER BY u.window_start, u.auth_id, u.resource_id, u.model_id
