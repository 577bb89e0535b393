-- delete_read_runs: it is no longer known that the alerts have read these runs.
--
-- Parameters
--   run_ids   text[]
WITH gone AS (
  DELETE FROM wxyc_assets.heard_run h WHERE h.run_id = ANY (%(run_ids)s::text[])
  RETURNING pg_column_size(h.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
