-- update_heartbeat: the sensor ticked just now.
--
-- Parameters
--   problem   text   what prevented a part of the tick, such as a delivery to Sentry; empty: nothing
UPDATE wxyc_assets.alert_watch SET looked_at = clock_timestamp(), problem = NULLIF(%(problem)s, '')
