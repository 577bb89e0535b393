-- select_run_lives: for each open run whether it is dead. A run that has begun and not ended in the ledger was seen with the lock
-- on its own id, and is dead without it. Any other run without the lock is dead after a grace period, by the clock of this
-- database.
--
-- Parameters
--   run_ids   text[]
--   grace     interval   from the first sight of a run to its lock, and from the end of its work to its report to Dagster
SELECT g.run_id,
  NOT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('wxyc_assets/run/' || g.run_id, 0))
  AND (
    (r.run_id IS NOT NULL AND r.ended_at IS NULL)
    OR COALESCE(r.ended_at, o.first_seen_at) < clock_timestamp() - %(grace)s::interval) AS dead
FROM unnest(%(run_ids)s::text[]) AS g (run_id)
LEFT JOIN wxyc_assets.run r ON r.run_id = g.run_id
LEFT JOIN wxyc_assets.open_run o ON o.run_id = g.run_id
