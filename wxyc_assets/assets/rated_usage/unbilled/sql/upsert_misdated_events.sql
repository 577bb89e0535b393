-- upsert_misdated_events: stores the events that no hour will ever bill, or not yet: those that were stored since the first hour
-- and claim an earlier time, and those of hours that have not begun. Events that were stored before the first hour are not ours.
--
-- Parameters
--   first          timestamptz   the first hour that is rated
--   stored_since   timestamptz   when the last search was, less the time that a transaction may be open; null: never
--   next_hour      timestamptz   the first hour that has not begun
WITH misdated AS (
  SELECT 'before' AS bucket, e.created_at
  FROM billing_event e
  WHERE COALESCE(e.event_ts, e.created_at) < %(first)s::timestamptz
    AND e.created_at >= GREATEST(%(first)s::timestamptz, CASE
      WHEN EXISTS (SELECT FROM wxyc_assets.unbilled_usage u WHERE u.bucket = 'before') THEN '-infinity'
      ELSE COALESCE(%(stored_since)s::timestamptz, '-infinity')
    END)
  UNION ALL
  SELECT 'future', e.created_at FROM billing_event e WHERE COALESCE(e.event_ts, e.created_at) >= %(next_hour)s::timestamptz
), counted AS (
  SELECT m.bucket, GREATEST(
      count(*) FILTER (WHERE m.created_at > COALESCE(a.newest_event_at, '-infinity')),
      CASE WHEN m.bucket = 'future' THEN count(*) - a.events_now END
    ) AS events,
    count(*) AS events_now, max(m.created_at) AS newest_event_at
  FROM misdated m
  LEFT JOIN LATERAL (
    SELECT b.events_now, b.newest_event_at
    FROM wxyc_assets.accepted_usage b
    WHERE b.bucket = m.bucket
    ORDER BY b.acceptance_id DESC
    LIMIT 1
  ) a ON true
  GROUP BY m.bucket, a.events_now, a.newest_event_at
)
INSERT INTO wxyc_assets.unbilled_usage AS b (bucket, events, events_now, newest_event_at)
SELECT c.bucket, c.events, c.events_now, c.newest_event_at FROM counted c WHERE c.events > 0
ON CONFLICT (bucket) DO UPDATE SET
  events = EXCLUDED.events,
  events_now = EXCLUDED.events_now,
  newest_event_at = EXCLUDED.newest_event_at,
  confirmed_at = now()
