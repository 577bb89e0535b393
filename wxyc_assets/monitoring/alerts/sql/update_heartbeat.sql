-- update_watch: the sensor has looked just now.
--
-- Parameters
--   problem   text   what was in the way of telling Sentry; empty: nothing
UPDATE wxyc_assets.alert_watch SET looked_at = clock_timestamp(), problem = NULLIF(%(problem)s, '')
