-- recover_alerts: the open alerts of a kind about an asset, last seen before, have these partitions behind them; one that has
-- none left is closed. The word that one has recovered which is part of another is that other's.
--
-- Parameters
--   asset, kind   text
--   source        text          null: whatever their source
--   partitions    text[]
--   at            timestamptz
UPDATE wxyc_assets.alert a
SET partitions = r.left_over,
  closed_at = CASE WHEN cardinality(r.left_over) = 0 THEN %(at)s::timestamptz END,
  closing_delivered_at = CASE WHEN cardinality(r.left_over) = 0 AND a.part_of IS NOT NULL THEN %(at)s::timestamptz END
FROM (
  SELECT o.alert_id,
    ARRAY(SELECT key FROM unnest(o.partitions) AS p (key) WHERE key <> ALL (%(partitions)s::text[]) ORDER BY key) AS left_over
  FROM wxyc_assets.alert o
  WHERE o.closed_at IS NULL AND o.asset = %(asset)s AND o.kind = %(kind)s AND o.last_seen_at <= %(at)s
    AND (%(source)s::text IS NULL OR o.source = %(source)s)
    AND o.partitions && %(partitions)s::text[]
) r
WHERE a.alert_id = r.alert_id
