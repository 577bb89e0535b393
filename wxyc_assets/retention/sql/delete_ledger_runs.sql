-- delete_ledger_runs: some of the runs of the ledger that ended before an instant are gone, and of those that were killed, the ones
-- that began before it. A run remains if a tally, an answer, a rated hour or a change of a bill names it, if it is the last good
-- run of its asset, or if it holds its lock.
--
-- Parameters
--   before      timestamptz
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM wxyc_assets.run r
  WHERE r.run_id IN (
    SELECT o.run_id
    FROM wxyc_assets.run o
    WHERE COALESCE(o.ended_at, o.started_at) < %(before)s::timestamptz
      AND NOT EXISTS (SELECT FROM wxyc_assets.tally t WHERE t.run_id = o.run_id)
      AND NOT EXISTS (SELECT FROM wxyc_assets.answer_batch b WHERE b.run_id = o.run_id)
      AND NOT EXISTS (SELECT FROM wxyc_assets.rated_hour h WHERE h.run_id = o.run_id)
      AND NOT EXISTS (SELECT FROM wxyc_assets.usage_change c WHERE c.run_id = o.run_id)
      AND o.run_id NOT IN (
        SELECT DISTINCT ON (g.asset) g.run_id FROM wxyc_assets.run g WHERE g.verdict = 'done' ORDER BY g.asset, g.ended_at DESC)
      AND (o.ended_at IS NOT NULL OR NOT EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('wxyc_assets/run/' || o.run_id, 0)))
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(r.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
