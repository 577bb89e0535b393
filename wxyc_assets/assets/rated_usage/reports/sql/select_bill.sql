-- select_bill: what a customer is billed for the hours of a time, by UTC day, model, deployment and, where
-- rated_usage has it, organisation, with costs as text.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the first hour
--   window_end     timestamptz   the end of the last hour, not included
SELECT (u.window_start AT TIME ZONE 'UTC')::date::text AS day, u.model_id, u.resource_id, u.org AS org_id, count(*) AS hours,
  sum(u.event_count)::bigint AS events, sum(u.prompt_tokens)::bigint AS prompt_tokens,
  sum(u.cached_tokens)::bigint AS cached_tokens, sum(u.completion_tokens)::bigint AS completion_tokens,
  sum(u.billable_prompt_tokens)::bigint AS billable_prompt_tokens, sum(u.cost)::text AS cost
-- Without the column, the name org_id stands for the null.
FROM (SELECT NULL::text AS org_id) none
CROSS JOIN LATERAL (
  SELECT r.*, org_id::text AS org
  FROM rated_usage r
  WHERE r.auth_id = %(auth_id)s AND r.window_start >= %(window_start)s::timestamptz
    AND r.window_start < %(window_end)s::timestamptz
) u
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
