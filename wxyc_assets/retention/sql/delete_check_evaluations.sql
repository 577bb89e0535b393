-- delete_check_evaluations: of the evaluations of checks by these runs only the given ones remain. The checks are named, because
-- Dagster's index begins with them.
--
-- Parameters
--   run_ids                   text[]
--   asset_keys, check_names   text[]     every check, in two arrays of one length
--   kept                      bigint[]   ids of evaluations
WITH gone AS (
  DELETE FROM asset_check_executions c
  USING unnest(%(asset_keys)s::text[], %(check_names)s::text[]) AS k (asset_key, check_name)
  WHERE c.asset_key = k.asset_key AND c.check_name = k.check_name AND c.run_id = ANY (%(run_ids)s::text[])
    AND NOT EXISTS (SELECT FROM unnest(%(kept)s::bigint[]) AS u (id) WHERE u.id = c.id)
  RETURNING pg_column_size(c.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
