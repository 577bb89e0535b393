-- select_recent_tallies: the counters of the latest runs before this one that walked any of these partitions to the end, newest first.
--
-- Parameters
--   asset            text
--   partition_keys   text[]
--   run_id           text   the run that asks, left out
--   run_limit        int    how many tallies at most
SELECT t.counters
FROM wxyc_assets.tally t
WHERE t.asset = %(asset)s AND t.partition_key = ANY (%(partition_keys)s::text[]) AND t.run_id <> %(run_id)s AND t.complete
ORDER BY t.updated_at DESC, t.partition_key
LIMIT %(run_limit)s
