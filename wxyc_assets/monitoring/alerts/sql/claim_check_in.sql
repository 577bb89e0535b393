-- claim_check_in: a check-in is due, and the caller that gets a row makes it. Others get none for a minute, and none while
-- Sentry asks to receive nothing.
--
-- Parameters
--   sentry   text   which Sentry and project receives
UPDATE wxyc_assets.alert_watch
SET checked_in_at = clock_timestamp()
WHERE (checked_in_at IS NULL OR checked_in_at <= clock_timestamp() - interval '1 minute')
  AND NOT COALESCE(blocked_sentry = %(sentry)s AND blocked_until > clock_timestamp(), false)
RETURNING checked_in_at
