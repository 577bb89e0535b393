-- select_run_lives: for each run, whether it took up work that it has not ended, when it ended by itself, and whether it holds the
-- lock on its own id.
--
-- Parameters
--   run_ids   text[]
SELECT g.run_id,
  r.run_id IS NOT NULL AND r.ended_at IS NULL AS at_work,
  r.ended_at,
  EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('wxyc_assets/run/' || g.run_id, 0)) AS locked
FROM unnest(%(run_ids)s::text[]) AS g (run_id)
LEFT JOIN wxyc_assets.run r ON r.run_id = g.run_id
