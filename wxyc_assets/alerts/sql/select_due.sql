-- select_due: the next alert that Sentry has not been told of, or whose recovery it has not; its row is locked. What closed long
-- ago, and nobody was ever told of, is no news.
--
-- Parameters
--   after       bigint     the alert that was tried last; 0 at first
--   news_for    interval   how long ago it may have closed
SELECT a.alert_id, a.fingerprint, a.asset, a.source, a.kind, a.severity, a.message, a.details, a.partitions, a.run_id, a.occurrences,
  a.first_seen_at, a.last_seen_at, a.delivered_at, a.closed_at, a.attempts,
  ARRAY(SELECT p.message FROM wxyc_assets.alert p WHERE p.part_of = a.alert_id ORDER BY p.alert_id) AS parts
FROM wxyc_assets.alert a
WHERE a.part_of IS NULL AND (a.delivered_at IS NULL OR (a.closed_at IS NOT NULL AND a.closing_delivered_at IS NULL))
  AND a.alert_id > %(after)s
  AND (a.retry_at IS NULL OR a.retry_at <= now())
  AND (a.closed_at IS NULL OR a.closed_at > now() - %(news_for)s::interval)
ORDER BY a.alert_id
LIMIT 1
FOR UPDATE OF a SKIP LOCKED
