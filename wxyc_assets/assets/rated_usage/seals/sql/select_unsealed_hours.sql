-- select_unsealed_hours: the hours before an instant that are not sealed, from the first that a run rated, ascending.
--
-- Parameters
--   until   timestamptz
SELECT h.hour
FROM (SELECT min(r.window_start) AS hour FROM wxyc_assets.rated_hour r) first
CROSS JOIN LATERAL generate_series(first.hour, %(until)s::timestamptz - interval '1 hour', interval '1 hour') AS h (hour)
WHERE NOT COALESCE(
  (SELECT s.kind = 'seal' FROM wxyc_assets.seal s WHERE s.window_start = h.hour ORDER BY s.seal_id DESC LIMIT 1), false)
ORDER BY h.hour
