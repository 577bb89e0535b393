-- close_alerts: the given open alerts, the alerts that are part of them, and the parts of those are closed by hand. If Sentry has
-- the alert, the next delivery sends it the closing.
--
-- Parameters
--   alert_ids   bigint[]
WITH RECURSIVE concerned AS (
  SELECT a.alert_id FROM wxyc_assets.alert a WHERE a.closed_at IS NULL AND a.alert_id = ANY (%(alert_ids)s::bigint[])
  UNION
  SELECT p.alert_id FROM wxyc_assets.alert p JOIN concerned c ON p.part_of = c.alert_id WHERE p.closed_at IS NULL
)
UPDATE wxyc_assets.alert
SET closed_at = clock_timestamp(), partitions = '{}',
  details = details || '{"closed_by": "operator"}',
  closing_delivered_at = CASE WHEN part_of IS NOT NULL THEN clock_timestamp() END
WHERE alert_id IN (SELECT alert_id FROM concerned)
RETURNING alert_id
