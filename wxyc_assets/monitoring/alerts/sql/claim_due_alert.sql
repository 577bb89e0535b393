-- claim_due_alert: the next alert of which Sentry lacks the event, its greater severity or its recovery is claimed: until the
-- claim ends, no other delivery takes it. There is none while Sentry asks to receive nothing.
--
-- Parameters
--   after           bigint     the alert that was tried last; 0 at first
--   sentry          text       which Sentry and project receives
--   closed_within   interval   how long ago an alert may have closed
--   claimed_for     interval   longer than one exchange with Sentry takes
UPDATE wxyc_assets.alert a
SET retry_at = clock_timestamp() + %(claimed_for)s::interval
WHERE a.alert_id = (
  SELECT d.alert_id
  FROM wxyc_assets.alert d
  WHERE d.part_of IS NULL
    AND (d.delivered_at IS NULL OR d.delivered_severity <> d.severity
      OR (d.closed_at IS NOT NULL AND d.closing_delivered_at IS NULL))
    AND d.alert_id > %(after)s
    AND (d.retry_at IS NULL OR d.retry_at <= clock_timestamp())
    AND (d.closed_at IS NULL OR d.closed_at > now() - %(closed_within)s::interval)
    AND NOT EXISTS (
      SELECT FROM wxyc_assets.alert_watch w
      WHERE w.blocked_sentry = %(sentry)s AND w.blocked_until > clock_timestamp())
  ORDER BY d.alert_id
  LIMIT 1
  FOR UPDATE SKIP LOCKED)
RETURNING a.alert_id, a.news_id, a.fingerprint, a.asset, a.source, a.kind, a.severity, a.message, a.details, a.partitions,
  a.run_id, a.occurrences, a.first_seen_at, a.last_seen_at, a.delivered_at, a.closed_at, a.attempts,
  ARRAY(SELECT p.message FROM wxyc_assets.alert p WHERE p.part_of = a.alert_id ORDER BY p.alert_id LIMIT 20) AS parts
