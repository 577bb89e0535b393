-- select_range_end: the id at which the next range of pending plays ends; no row after the last range.
--
-- Parameters
--   after_id   int   keyset cursor: the end of the previous range
--   upto_id    int   the highest pending play when the run began
--   plays      int   the maximum number of pending plays in the range, of any shard
--
-- Its conditions are those of flowsheet_metadata_status_pending_idx, so that it reads only that index.
SELECT max(id)
FROM (
  SELECT f.id FROM flowsheet f
  WHERE f.id > %(after_id)s AND f.id <= %(upto_id)s
    AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  ORDER BY f.id LIMIT %(plays)s
) AS id_range
HAVING max(id) IS NOT NULL
