-- delete_backfills: some of the backfills that began before an instant, have ended and have no run any more are gone.
--
-- Parameters
--   before      timestamptz
--   terminal    text[]        the statuses of a backfill that has ended
--   removed     text[]        runs that count as gone already
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM bulk_actions b
  WHERE b.key IN (
    SELECT o.key
    FROM bulk_actions o
    WHERE o.status = ANY (%(terminal)s::text[]) AND o.timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT FROM runs r WHERE r.backfill_id = o.key AND r.run_id <> ALL (%(removed)s::text[]))
    ORDER BY o.id
    LIMIT %(row_limit)s::int)
  RETURNING b.key, pg_column_size(b.*) AS size
), tags AS (
  DELETE FROM backfill_tags t USING gone WHERE t.backfill_id = gone.key
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
