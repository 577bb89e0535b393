-- select_block: for how many seconds this Sentry still asks to receive nothing; no row if it does not.
--
-- Parameters
--   sentry   text   which Sentry and project
SELECT ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int
FROM wxyc_assets.alert_watch
WHERE blocked_sentry = %(sentry)s AND blocked_until > clock_timestamp()
