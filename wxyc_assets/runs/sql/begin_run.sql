-- begin_run: the ledger has a row for the run, started now and not ended.
--
-- Parameters
--   run_id   text   Dagster's run id
--   asset    text   asset key
--   origin   text   routine | explicit
INSERT INTO wxyc_assets.run (run_id, asset, origin)
VALUES (%(run_id)s, %(asset)s, %(origin)s)
ON CONFLICT (run_id) DO UPDATE SET started_at = now(), ended_at = NULL, verdict = NULL, reason = NULL
