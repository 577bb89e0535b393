-- select_writers_of_album_metadata: what the albums of the plays that changed in the last day show of other writers: a sign, how
-- many albums show it, and how many seconds ago the last one was written. The table has no index of its own by time.
--
-- Parameters
--   began, ended   timestamptz[]   from when to when each run of album_metadata wrote
--   row_limit      int             plays that are read, the last changed first
WITH album AS (
  SELECT DISTINCT c.album_id
  FROM (
    SELECT f.album_id FROM flowsheet f
    WHERE f.updated_at > now() - interval '1 day'
    ORDER BY f.updated_at DESC LIMIT %(row_limit)s) c
  WHERE c.album_id IS NOT NULL
)
SELECT 'album' AS name, count(*) AS rows, extract(epoch FROM clock_timestamp() - max(m.updated_at))::float8 AS age_s
FROM album_metadata m
WHERE m.album_id = ANY (ARRAY(SELECT a.album_id FROM album a))
  AND m.updated_at > now() - interval '1 day'
  AND NOT EXISTS (
    SELECT FROM unnest(%(began)s::timestamptz[], %(ended)s::timestamptz[]) AS w (began_at, ended_at)
    WHERE m.updated_at BETWEEN w.began_at AND w.ended_at)
HAVING count(*) > 0
