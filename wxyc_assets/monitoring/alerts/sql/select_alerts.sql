-- select_alerts: the open alerts, and those that closed recently; the most severe and then the oldest first. A part
-- counts as delivered if the alert is that it is part of, or the alert that this one is part of.
--
-- Parameters
--   closed_within   interval   0: only the open ones
SELECT a.alert_id, a.part_of, a.asset, a.source, a.kind, a.severity, a.message, a.partitions, a.occurrences, a.run_id,
  a.first_seen_at, a.last_seen_at, a.closed_at, COALESCE(c.delivered_at, h.delivered_at, a.delivered_at) AS delivered_at, a.attempts,
  a.delivery_problem, a.details - 'stack' AS details
FROM wxyc_assets.alert a
LEFT JOIN wxyc_assets.alert h ON h.alert_id = a.part_of
LEFT JOIN wxyc_assets.alert c ON c.alert_id = h.part_of
WHERE a.closed_at IS NULL OR a.closed_at > now() - %(closed_within)s::interval
ORDER BY a.closed_at IS NOT NULL, a.severity, a.first_seen_at, a.alert_id
