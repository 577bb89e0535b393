-- select_old_read_runs: the runs that ended before an instant and that the alerts have read, but for the newest, by run id.
--
-- Parameters
--   before      timestamptz
--   below       bigint        runs whose end has this storage id or a greater one are left out
--   after       text          run id; empty at first
--   row_limit   int
SELECT h.run_id
FROM wxyc_assets.heard_run h
WHERE h.ended_at < %(before)s::timestamptz AND h.event_id < %(below)s::bigint AND h.run_id > %(after)s::text
ORDER BY h.run_id
LIMIT %(row_limit)s::int
