-- select_candidate_hours: the hours outside the trailing ones that can have unbilled events: those of events that were stored
-- since the last search, those that have left the trailing hours since then, and those that had some. The first search finds
-- every hour with events. Reads billing_event by its index on created_at.
--
-- Parameters
--   first, trailing_start   timestamptz   the first hour that is rated; the first of the trailing hours
--   stored_since            timestamptz   when the last search was, less the time that a transaction may be open; null: never
--   left_since              timestamptz   the trailing_start of the last search; null: never
WITH candidate AS (
  SELECT date_trunc('hour', COALESCE(e.event_ts, e.created_at), 'UTC') AS hour
  FROM billing_event e
  WHERE e.created_at >= COALESCE(%(stored_since)s::timestamptz, '-infinity')
    AND COALESCE(e.event_ts, e.created_at) >= %(first)s::timestamptz
    AND COALESCE(e.event_ts, e.created_at) < %(trailing_start)s::timestamptz
  UNION
  SELECT h.hour
  FROM generate_series(%(left_since)s::timestamptz, %(trailing_start)s::timestamptz - interval '1 hour', interval '1 hour') AS h (hour)
  UNION
  -- A condition would not do: the one on the hour, which PostgreSQL may test first, fails for a bucket that is no hour.
  SELECT CASE WHEN u.bucket NOT IN ('before', 'future') THEN (overlay(u.bucket PLACING ' ' FROM 11) || '+00')::timestamptz END
  FROM wxyc_assets.unbilled_usage u
)
SELECT c.hour FROM candidate c WHERE c.hour >= %(first)s::timestamptz AND c.hour < %(trailing_start)s::timestamptz ORDER BY 1
