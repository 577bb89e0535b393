-- select_running_runs: the runs that began to work and have not ended, the longest first. A killed run is among them.
SELECT run_id, asset, extract(epoch FROM clock_timestamp() - started_at)::float8 AS age_s
FROM wxyc_assets.run
WHERE ended_at IS NULL
ORDER BY started_at
