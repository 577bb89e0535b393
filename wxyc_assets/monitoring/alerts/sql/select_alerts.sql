-- select_alerts: the alerts that are open, and those that closed lately, the worst and the longest open first.
--
-- Parameters
--   closed_within   interval   0: only those that are open
SELECT a.alert_id, a.part_of, a.asset, a.source, a.kind, a.severity, a.message, a.partitions, a.occurrences, a.run_id,
  a.first_seen_at, a.last_seen_at, a.closed_at, COALESCE(h.delivered_at, a.delivered_at) AS delivered_at, a.attempts,
  a.delivery_problem, COALESCE(a.details -> 'numbers', '{}') AS numbers
FROM wxyc_assets.alert a
LEFT JOIN wxyc_assets.alert h ON h.alert_id = a.part_of
WHERE a.closed_at IS NULL OR a.closed_at > now() - %(closed_within)s::interval
ORDER BY a.closed_at IS NOT NULL, a.severity, a.first_seen_at, a.alert_id
