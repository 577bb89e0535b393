-- close_alerts: these open alerts, and those that are part of them, are closed because a person says so; who was told of them is
-- told that.
--
-- Parameters
--   alert_ids   bigint[]
UPDATE wxyc_assets.alert
SET closed_at = clock_timestamp(), partitions = '{}',
  details = details || '{"closed_by": "a person"}',
  closing_delivered_at = CASE WHEN part_of IS NOT NULL THEN clock_timestamp() END
WHERE closed_at IS NULL AND (alert_id = ANY (%(alert_ids)s::bigint[]) OR part_of = ANY (%(alert_ids)s::bigint[]))
RETURNING alert_id
