-- end_run: the run's row says that the run ended by itself, and how.
--
-- Parameters
--   run_id    text   Dagster's run id
--   verdict   text   done | anomaly | failed
--   reason    text   one sentence, empty when all is well
UPDATE wxyc_assets.run
SET ended_at = clock_timestamp(), verdict = %(verdict)s, reason = NULLIF(%(reason)s, '')
WHERE run_id = %(run_id)s
