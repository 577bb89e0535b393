-- select_window_end: the id at which the next stretch of the library ends; no row behind the last one.
--
-- Parameters
--   after_id    int   keyset cursor: the end of the stretch before
--   upto_id     int   the highest id when the run began: later rows are the next run's
--   libraries   int   how many rows of library the stretch holds at most
SELECT max(id)
FROM (
  SELECT id FROM library WHERE id > %(after_id)s AND id <= %(upto_id)s ORDER BY id LIMIT %(libraries)s
) AS stretch
HAVING max(id) IS NOT NULL
