-- select_unbilled_usage: whose events of some hours are not billed, and of which models, the most events first.
--
-- Parameters
--   hours   timestamptz[]   the starts of the hours
--   why     text            the check that failed: unattributable_zero | ambiguous_base_zero | ambiguous_org_zero | unpriced_zero
WITH used AS (
  SELECT h.hour, e.auth_id, e.resource_id, e.model, count(*) AS events,
    e.auth_id IS NULL OR e.resource_id IS NULL OR e.model IS NULL AS unattributable,
    starts_with(e.model, 'ft:') AND count(DISTINCT e.base_model) > 1 AS two_bases, count(DISTINCT e.org) > 1 AS two_orgs
  FROM unnest(%(hours)s::timestamptz[]) AS h (hour)
  -- Where billing_event has no org_id, the name stands for the null.
  CROSS JOIN (SELECT NULL::text AS org_id) none
  CROSS JOIN LATERAL (
    SELECT b.*, org_id::text AS org
    FROM billing_event b
    WHERE COALESCE(b.event_ts, b.created_at) >= h.hour AND COALESCE(b.event_ts, b.created_at) < h.hour + interval '1 hour'
  ) e
  GROUP BY h.hour, e.auth_id, e.resource_id, e.model
)
SELECT COALESCE(u.model, '(no model)'), COALESCE(u.auth_id, '(no customer)'), sum(u.events)::bigint
FROM used u
WHERE %(why)s::text = CASE WHEN u.unattributable THEN 'unattributable_zero' WHEN u.two_bases THEN 'ambiguous_base_zero'
    WHEN u.two_orgs THEN 'ambiguous_org_zero' ELSE 'unpriced_zero' END
  AND NOT EXISTS (
    SELECT FROM rated_usage r
    WHERE r.auth_id = u.auth_id AND r.resource_id = u.resource_id AND r.model_id = u.model AND r.window_start = u.hour)
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
