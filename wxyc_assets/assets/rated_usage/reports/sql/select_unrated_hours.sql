-- select_unrated_hours: the hours of a time that no run has rated and that have no row of the predecessor either, ascending.
--
-- Parameters
--   window_start   timestamptz   the first hour
--   window_end     timestamptz   the end of the last hour, not included
SELECT h.hour
FROM generate_series(%(window_start)s::timestamptz, %(window_end)s::timestamptz - interval '1 hour', interval '1 hour') h (hour)
WHERE NOT EXISTS (SELECT FROM wxyc_assets.rated_hour r WHERE r.window_start = h.hour)
  AND NOT EXISTS (SELECT FROM rated_usage u WHERE u.window_start = h.hour)
ORDER BY h.hour
