-- billed_hours: from which instant to which the events of the closed hours reach, on whole UTC hours; null without any.
SELECT
  to_char(date_trunc('hour', min(e.at), 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"') AS since,
  to_char((date_trunc('hour', max(e.at), 'UTC') + interval '1 hour') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"') AS until
FROM (SELECT COALESCE(event_ts, created_at) AS at FROM billing_event) e
WHERE e.at >= timestamptz '2026-01-01T00:00:00Z' AND e.at < date_trunc('hour', now(), 'UTC')
