-- select_sources: what the given open alerts are about.
--
-- Parameters
--   alert_ids   bigint[]
SELECT a.alert_id, a.asset, a.kind, a.source
FROM wxyc_assets.alert a
WHERE a.closed_at IS NULL AND a.alert_id = ANY (%(alert_ids)s::bigint[])
ORDER BY a.alert_id
