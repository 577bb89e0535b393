-- select_unbilled_hours: the hours of a time with events of any customer that no rating has seen, as the last search found them.
--
-- Parameters
--   first_key   text   the partition key of the first hour
--   last_key    text   the partition key of the last hour, included
SELECT u.bucket AS hour, u.events, u.estimated_cost::text AS estimated_cost, u.confirmed_at
FROM wxyc_assets.unbilled_usage u
WHERE u.bucket >= %(first_key)s AND u.bucket <= %(last_key)s AND u.bucket ~ '^[0-9]'
ORDER BY u.bucket
