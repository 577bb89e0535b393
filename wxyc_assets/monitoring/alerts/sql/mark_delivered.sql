-- mark_delivered: Sentry has this alert, or its recovery.
--
-- Parameters
--   alert_id    bigint
--   recovered   boolean   whether the event was the recovery
--   severity    text      the severity that was sent: the alert may have become more severe since then
UPDATE wxyc_assets.alert
SET delivered_at = COALESCE(delivered_at, clock_timestamp()),
  delivered_severity = CASE WHEN %(recovered)s THEN severity ELSE %(severity)s END,
  closing_delivered_at = CASE WHEN %(recovered)s THEN clock_timestamp() ELSE closing_delivered_at END,
  attempts = 0, retry_at = NULL, delivery_problem = NULL
WHERE alert_id = %(alert_id)s
