-- select_stretch_end: the id at which the next stretch of pending plays ends; no row behind the last one.
--
-- Parameters
--   after_id   int   keyset cursor: the end of the stretch before
--   upto_id    int   the highest pending play when the run began
--   plays      int   how many pending plays the stretch holds at most, of whatever shard
--
-- Its conditions are those of flowsheet_metadata_status_pending_idx, so that it reads that index and nothing else.
SELECT max(id)
FROM (
  SELECT f.id FROM flowsheet f
  WHERE f.id > %(after_id)s AND f.id <= %(upto_id)s
    AND f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
  ORDER BY f.id LIMIT %(plays)s
) AS stretch
HAVING max(id) IS NOT NULL
