-- upsert_unpushed_hour: the bill of an hour that token-push posts no more has changed. It posts the last 24 closed hours.
--
-- Parameters
--   window_start   timestamptz   the hour
--   run_id         text
--   moved          text          USD
INSERT INTO wxyc_assets.unpushed_hour (window_start, run_id, moved)
SELECT %(window_start)s::timestamptz, %(run_id)s, %(moved)s::numeric
WHERE %(window_start)s::timestamptz < date_trunc('hour', now(), 'UTC') - interval '24 hours'
ON CONFLICT (window_start) DO UPDATE SET
  run_id = EXCLUDED.run_id, changed_at = EXCLUDED.changed_at, moved = EXCLUDED.moved, pushed_at = NULL, pushed_by = NULL
