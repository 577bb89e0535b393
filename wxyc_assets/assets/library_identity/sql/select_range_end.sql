-- select_range_end: the id at which the next range of the library ends; no row after the last range.
--
-- Parameters
--   after_id    int   keyset cursor: the end of the previous range
--   upto_id     int   the highest id when the run began: later rows belong to the next run
--   libraries   int   the maximum number of library rows in the range
SELECT max(id)
FROM (
  SELECT id FROM library WHERE id > %(after_id)s AND id <= %(upto_id)s ORDER BY id LIMIT %(libraries)s
) AS id_range
HAVING max(id) IS NOT NULL
