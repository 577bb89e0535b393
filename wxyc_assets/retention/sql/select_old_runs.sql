-- select_old_runs: the runs of Dagster that ended before an instant, oldest first, but for those that are needed as a whole: runs
-- of a backfill that has not ended, and the given ones.
--
-- Parameters
--   before       timestamptz
--   needed       text[]        run ids
--   terminal     text[]        the statuses of a backfill that has ended
SELECT r.run_id
FROM runs r
WHERE r.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
  AND COALESCE(to_timestamp(r.end_time), r.update_timestamp AT TIME ZONE 'UTC') < %(before)s::timestamptz
  AND r.run_id <> ALL (%(needed)s::text[])
  AND NOT EXISTS (SELECT FROM bulk_actions b WHERE b.key = r.backfill_id AND b.status <> ALL (%(terminal)s::text[]))
ORDER BY r.id
