-- select_unpushed_hours: the hours that token-push has to be run for.
--
-- Parameters
--   run_id   text   only those that this run changed; null: all
SELECT h.window_start
FROM wxyc_assets.unpushed_hour h
WHERE h.pushed_at IS NULL AND (%(run_id)s::text IS NULL OR h.run_id = %(run_id)s)
ORDER BY 1
