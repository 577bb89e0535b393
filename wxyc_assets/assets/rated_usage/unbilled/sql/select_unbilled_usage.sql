-- select_unbilled_usage: the unbilled usage of the last search, oldest hour first, then what is misdated.
SELECT u.bucket, u.events, u.estimated_cost::numeric(30, 9)::text AS estimated_cost, u.found_at
FROM wxyc_assets.unbilled_usage u
ORDER BY u.bucket
