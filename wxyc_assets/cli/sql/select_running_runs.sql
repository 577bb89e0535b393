-- runs_at_work: the runs that took up work and have not ended it, the longest first. A killed one is among them.
SELECT run_id, asset, extract(epoch FROM clock_timestamp() - started_at)::float8 AS age_s
FROM wxyc_assets.run
WHERE ended_at IS NULL
ORDER BY started_at
