-- recover_alerts: these partitions have recovered from the open alerts of a kind about an asset that no later run raised. An
-- alert with no partition left is closed. If it is part of another alert, its recovery counts as delivered, because the
-- recovery of the other alert is sent.
--
-- Parameters
--   asset, kind   text
--   source        text          null: every source
--   partitions    text[]
--   at            timestamptz   when the run ended, by its host's clock
--   event_id      bigint        storage id of the event with which it ended
UPDATE wxyc_assets.alert a
SET partitions = r.left_over,
  closed_at = CASE WHEN cardinality(r.left_over) = 0 THEN LEAST(%(at)s::timestamptz, clock_timestamp()) END,
  closing_delivered_at = CASE WHEN cardinality(r.left_over) = 0 AND a.part_of IS NOT NULL THEN clock_timestamp() END
FROM (
  SELECT o.alert_id,
    ARRAY(SELECT key FROM unnest(o.partitions) AS p (key) WHERE key <> ALL (%(partitions)s::text[]) ORDER BY key) AS left_over
  FROM wxyc_assets.alert o
  WHERE o.closed_at IS NULL AND o.asset = %(asset)s AND o.kind = %(kind)s AND o.last_event_id <= %(event_id)s
    AND (%(source)s::text IS NULL OR o.source = %(source)s)
    AND o.partitions && %(partitions)s::text[]
) r
WHERE a.alert_id = r.alert_id
