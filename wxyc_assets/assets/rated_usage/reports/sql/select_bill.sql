-- select_bill: what a customer is billed for the hours of a time, by UTC day, model and deployment, with costs as text.
--
-- Parameters
--   auth_id        text
--   window_start   timestamptz   the first hour
--   window_end     timestamptz   the end of the last hour, not included
SELECT (u.window_start AT TIME ZONE 'UTC')::date::text AS day, u.model_id, u.resource_id, count(*) AS hours,
  sum(u.event_count)::bigint AS events, sum(u.prompt_tokens)::bigint AS prompt_tokens,
  sum(u.cached_tokens)::bigint AS cached_tokens, sum(u.completion_tokens)::bigint AS completion_tokens,
  sum(u.billable_prompt_tokens)::bigint AS billable_prompt_tokens, sum(u.cost)::text AS cost
FROM rated_usage u
WHERE u.auth_id = %(auth_id)s AND u.window_start >= %(window_start)s::timestamptz
  AND u.window_start < %(window_end)s::timestamptz
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
