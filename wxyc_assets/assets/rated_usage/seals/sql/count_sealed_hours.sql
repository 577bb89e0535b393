-- count_sealed_hours: how many hours of a time are sealed.
--
-- Parameters
--   window_start   timestamptz   the first hour
--   window_end     timestamptz   the end of the last hour
SELECT count(*)
FROM (
  SELECT DISTINCT ON (s.window_start) s.kind
  FROM wxyc_assets.seal s
  WHERE s.window_start >= %(window_start)s AND s.window_start < %(window_end)s
  ORDER BY s.window_start, s.seal_id DESC
) last
WHERE last.kind = 'seal'
