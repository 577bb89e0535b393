-- mark_undelivered: a delivery of this alert failed; the next one is due after a delay.
--
-- Parameters
--   alert_id      bigint
--   problem       text
--   retry_after   interval
UPDATE wxyc_assets.alert
SET attempts = attempts + 1, retry_at = clock_timestamp() + %(retry_after)s::interval, delivery_problem = %(problem)s
WHERE alert_id = %(alert_id)s
