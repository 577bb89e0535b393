-- select_writers_of_rated_usage: whether the bills show another rater in the last day: a sign, how many bills show it, and how many
-- seconds ago the last one was written. They are the bills of the last three days that are newer than our last rating of their
-- hour, or whose hour we never rated.
SELECT 'bill' AS name, count(*) AS rows, extract(epoch FROM clock_timestamp() - max(u.rated_at))::float8 AS age_s
FROM rated_usage u
LEFT JOIN wxyc_assets.rated_hour h ON h.window_start = u.window_start
WHERE u.window_start > now() - interval '3 days' AND u.rated_at > now() - interval '1 day'
  AND (h.rated_at IS NULL OR u.rated_at > h.rated_at)
HAVING count(*) > 0
