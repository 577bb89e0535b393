-- select_hour_costs: what each customer is billed for each model in one hour, as this transaction sees it, with costs as text.
--
-- Parameters
--   window_start   timestamptz   the hour
--   window_end     timestamptz   its end, not included
SELECT u.model_id, u.auth_id, sum(u.event_count)::bigint AS events, sum(u.cost)::text AS cost
FROM rated_usage u
WHERE u.window_start >= %(window_start)s::timestamptz AND u.window_start < %(window_end)s::timestamptz
GROUP BY 1, 2
