-- delete_resolved: some of the quarantined inputs that a run used again before an instant are gone.
--
-- Parameters
--   before      timestamptz
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM wxyc_assets.quarantine q
  WHERE (q.asset, q.input_id, q.kind) IN (
    SELECT o.asset, o.input_id, o.kind
    FROM wxyc_assets.quarantine o
    WHERE o.resolved_at < %(before)s::timestamptz AND o.last_seen_at < %(before)s::timestamptz
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(q.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
