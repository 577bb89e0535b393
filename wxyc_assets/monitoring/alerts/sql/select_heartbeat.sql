-- select_watch: when the sensor last looked (null: never), how many seconds ago, and what was in the way of telling Sentry.
SELECT looked_at, extract(epoch FROM clock_timestamp() - looked_at)::float8, problem FROM wxyc_assets.alert_watch
