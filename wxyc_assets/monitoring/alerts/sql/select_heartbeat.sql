-- select_heartbeat: when the sensor last ticked (null: never), how many seconds ago, and what prevented a delivery to Sentry.
SELECT looked_at, extract(epoch FROM clock_timestamp() - looked_at)::float8, problem FROM wxyc_assets.alert_watch
