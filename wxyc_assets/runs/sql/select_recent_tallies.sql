-- select_recent_tallies: the counters of the latest complete tallies of these partitions, newest first, without those of this run.
--
-- Parameters
--   asset            text
--   partition_keys   text[]
--   run_id           text   the current run, left out
--   run_limit        int    how many tallies at most
SELECT t.counters
FROM wxyc_assets.tally t
WHERE t.asset = %(asset)s AND t.partition_key = ANY (%(partition_keys)s::text[]) AND t.run_id <> %(run_id)s AND t.complete
ORDER BY t.updated_at DESC, t.partition_key
LIMIT %(run_limit)s
