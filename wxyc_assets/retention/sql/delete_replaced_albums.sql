-- delete_replaced_albums: some of the rows of album_metadata that were replaced before an instant are gone.
--
-- Parameters
--   before      timestamptz
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM wxyc_assets.replaced_album r
  WHERE (r.album_id, r.replaced_at) IN (
    SELECT o.album_id, o.replaced_at
    FROM wxyc_assets.replaced_album o
    WHERE o.replaced_at < %(before)s::timestamptz
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(r.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
