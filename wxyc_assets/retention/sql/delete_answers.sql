-- delete_answers: some of the batches of LML's answers from before an instant are gone. A batch remains if a stored identity or a
-- stored row of album_metadata was written with it: wxyc why names the answer that a row comes from.
--
-- Parameters
--   before      timestamptz
--   row_limit   int           null: no limit
WITH gone AS (
  DELETE FROM wxyc_assets.answer_batch b
  WHERE b.batch_id IN (
    SELECT o.batch_id
    FROM wxyc_assets.answer_batch o
    WHERE o.written_at < %(before)s::timestamptz
      AND NOT (o.asset = 'library_identity'
        AND EXISTS (SELECT FROM library_identity i WHERE i.last_verified_at = o.written_at))
      AND NOT (o.asset = 'album_metadata' AND EXISTS (SELECT FROM album_metadata m WHERE m.updated_at = o.written_at))
    LIMIT %(row_limit)s::int)
  RETURNING pg_column_size(b.*) AS size
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint
FROM gone g
