-- mark_delivered: Sentry has been told of this alert, or of its recovery.
--
-- Parameters
--   alert_id    bigint
--   recovered   boolean
UPDATE wxyc_assets.alert
SET delivered_at = COALESCE(delivered_at, clock_timestamp()),
  closing_delivered_at = CASE WHEN %(recovered)s THEN clock_timestamp() ELSE closing_delivered_at END,
  attempts = 0, retry_at = NULL, delivery_problem = NULL
WHERE alert_id = %(alert_id)s
