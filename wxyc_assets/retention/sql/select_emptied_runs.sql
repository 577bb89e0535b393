-- select_emptied_runs: the runs among these of which no event and no evaluation of a check remains, and the size of their rows.
--
-- Parameters
--   run_ids     text[]
--   evaluated   text[]   runs of which an evaluation remains
SELECT r.run_id, pg_column_size(r.*)
FROM runs r
WHERE r.run_id = ANY (%(run_ids)s::text[])
  AND NOT EXISTS (SELECT FROM event_logs e WHERE e.run_id = r.run_id)
  AND NOT EXISTS (SELECT FROM unnest(%(evaluated)s::text[]) AS u (run_id) WHERE u.run_id = r.run_id)
