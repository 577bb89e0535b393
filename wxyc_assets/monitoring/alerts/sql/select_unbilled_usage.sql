-- select_unbilled_usage: whose events of some hours are not billed, and of which models, the most events first.
--
-- Parameters
--   hours   timestamptz[]   the starts of the hours
--   why     text            the check that failed: unattributable_zero | ambiguous_base_zero | unpriced_zero
WITH used AS (
  SELECT h.hour, e.auth_id, e.resource_id, e.model, count(*) AS events,
    e.auth_id IS NULL OR e.resource_id IS NULL OR e.model IS NULL AS unattributable,
    count(DISTINCT e.base_model) > 1 AS ambiguous
  FROM unnest(%(hours)s::timestamptz[]) AS h (hour)
  JOIN billing_event e ON COALESCE(e.event_ts, e.created_at) >= h.hour
    AND COALESCE(e.event_ts, e.created_at) < h.hour + interval '1 hour'
  GROUP BY h.hour, e.auth_id, e.resource_id, e.model
)
SELECT COALESCE(u.model, '(no model)'), COALESCE(u.auth_id, '(no customer)'), sum(u.events)::bigint
FROM used u
WHERE %(why)s::text = CASE WHEN u.unattributable THEN 'unattributable_zero' WHEN u.ambiguous THEN 'ambiguous_base_zero'
    ELSE 'unpriced_zero' END
  AND NOT EXISTS (
    SELECT FROM rated_usage r
    WHERE r.auth_id = u.auth_id AND r.resource_id = u.resource_id AND r.model_id = u.model AND r.window_start = u.hour)
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
