-- expect_calls: the run's row says how many Discogs calls the run still expects to need.
--
-- Parameters
--   run_id   text     Dagster's run id
--   calls    float8   by the run's own estimate
UPDATE wxyc_assets.run
SET discogs_calls_left = %(calls)s
WHERE run_id = %(run_id)s
