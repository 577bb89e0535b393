-- billed_since: the hour of the first event of the closed hours, as an instant of UTC; null without any.
SELECT to_char(date_trunc('hour', min(e.at), 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"') AS since
FROM (SELECT COALESCE(event_ts, created_at) AS at FROM billing_event) e
WHERE e.at >= timestamptz '2026-01-01T00:00:00Z' AND e.at < date_trunc('hour', now(), 'UTC')
