-- select_first_event_hour: the UTC hour of the first billing event since 2026; null if there is no event.
SELECT date_trunc('hour', min(e.at), 'UTC') AS first_hour
FROM (SELECT COALESCE(event_ts, created_at) AS at FROM billing_event) e
WHERE e.at >= timestamptz '2026-01-01T00:00:00Z'
