-- budget_queue: the runs that have not ended and still expect to make Discogs calls, in the order in which they began. A killed
-- run is among them until the next run or sensor ends it.
SELECT run_id, asset, discogs_calls_left
FROM wxyc_assets.run
WHERE ended_at IS NULL AND discogs_calls_left > 0
ORDER BY started_at, run_id
