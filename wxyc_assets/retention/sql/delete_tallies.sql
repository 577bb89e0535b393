-- delete_tallies: some of the tallies from before an instant are gone. Of each partition remain the latest, the latest complete
-- ones that a check compares with, and in rated_usage every rating that changed a bill.
--
-- Parameters
--   before      timestamptz
--   compared    int           how many complete tallies of a shard library_identity compares with
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM wxyc_assets.tally t
  WHERE (t.asset, t.partition_key, t.run_id) IN (
    SELECT o.asset, o.partition_key, o.run_id
    FROM (
      SELECT s.asset, s.partition_key, s.run_id, s.updated_at, s.complete,
        row_number() OVER (PARTITION BY s.asset, s.partition_key ORDER BY s.updated_at DESC, s.started_at DESC) AS nth,
        count(*) FILTER (WHERE s.complete)
          OVER (PARTITION BY s.asset, s.partition_key ORDER BY s.updated_at DESC, s.started_at DESC) AS nth_complete
      FROM wxyc_assets.tally s
    ) o
    WHERE o.updated_at < %(before)s::timestamptz AND o.nth > 1
      AND NOT (o.complete AND o.nth_complete <= CASE o.asset WHEN 'library_identity' THEN %(compared)s::int ELSE 1 END)
      AND NOT CASE WHEN o.asset = 'rated_usage' THEN EXISTS (
        SELECT FROM wxyc_assets.usage_change c
        WHERE c.run_id = o.run_id
          AND c.window_start = (overlay(o.partition_key PLACING ' ' FROM 11) || '+00')::timestamptz) ELSE false END
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(t.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
