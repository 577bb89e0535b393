-- delete_alerts: some of the alerts that closed before an instant are gone, the newest first: an alert is newer than the one that it
-- is part of. An alert of which a younger or an open one is a part remains.
--
-- Parameters
--   before      timestamptz
--   row_limit   int           null: no limit
WITH RECURSIVE kept AS (
  SELECT a.alert_id, a.part_of
  FROM wxyc_assets.alert a
  WHERE a.closed_at IS NULL OR a.closed_at >= %(before)s::timestamptz
  UNION
  SELECT h.alert_id, h.part_of FROM wxyc_assets.alert h JOIN kept k ON k.part_of = h.alert_id
), gone AS (
  DELETE FROM wxyc_assets.alert a
  WHERE a.alert_id IN (
    SELECT o.alert_id
    FROM wxyc_assets.alert o
    WHERE o.closed_at < %(before)s::timestamptz AND NOT EXISTS (SELECT FROM kept k WHERE k.alert_id = o.alert_id)
    ORDER BY o.alert_id DESC
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(a.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
