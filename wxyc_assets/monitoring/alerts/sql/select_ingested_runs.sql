-- select_ingested_runs: the runs among these that are ingested already.
--
-- Parameters
--   run_ids   text[]
SELECT run_id FROM wxyc_assets.heard_run WHERE run_id = ANY (%(run_ids)s::text[])
