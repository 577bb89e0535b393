-- select_read_runs: the runs among these that the alerts have read.
--
-- Parameters
--   run_ids   text[]
SELECT h.run_id FROM wxyc_assets.heard_run h WHERE h.run_id = ANY (%(run_ids)s::text[])
