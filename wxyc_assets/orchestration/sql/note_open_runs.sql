-- note_open_runs: it is known since when each of these runs is open, and of no other run.
--
-- Parameters
--   run_ids   text[]
WITH others AS (
  DELETE FROM wxyc_assets.open_run WHERE run_id <> ALL (%(run_ids)s::text[])
)
INSERT INTO wxyc_assets.open_run (run_id) SELECT unnest(%(run_ids)s::text[]) ON CONFLICT DO NOTHING
