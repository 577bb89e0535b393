-- select_heard: those of the runs that were heard.
--
-- Parameters
--   run_ids   text[]
SELECT run_id FROM wxyc_assets.heard_run WHERE run_id = ANY (%(run_ids)s::text[])
