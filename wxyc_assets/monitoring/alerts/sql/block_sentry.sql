-- block_sentry: this Sentry receives nothing for a while, because it asked for it. A longer block stays.
--
-- Parameters
--   sentry        text       which Sentry and project asked
--   blocked_for   interval
UPDATE wxyc_assets.alert_watch
SET blocked_sentry = %(sentry)s,
  blocked_until = GREATEST(
    CASE WHEN blocked_sentry = %(sentry)s THEN blocked_until END, clock_timestamp() + %(blocked_for)s::interval)
