-- upsert_unseen_events: stores the events of each hour that neither its last rating nor an operator who accepted them has seen, if
-- there are any. A rating sees a number of events and the newest created_at among them: a newer event is unseen, and events are
-- unseen if there are more. A bill without a rating of ours is the predecessor's, which saw what was stored until its rated_at.
--
-- Parameters
--   hours   timestamptz[]
INSERT INTO wxyc_assets.unbilled_usage AS b (bucket, events, events_now, newest_event_at)
SELECT to_char(h.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24:MI') AS bucket,
  GREATEST(n.newer, n.events - seen.events)::bigint AS events, n.events AS events_now, n.newest AS newest_event_at
FROM unnest(%(hours)s::timestamptz[]) AS h (hour)
LEFT JOIN LATERAL (
  SELECT s.events, s.newest_event_at
  FROM (
    SELECT r.rated_at AS at, r.events, r.newest_event_at FROM wxyc_assets.rated_hour r WHERE r.window_start = h.hour
    UNION ALL
    SELECT a.accepted_at, a.events_now, a.newest_event_at
    FROM wxyc_assets.accepted_usage a
    WHERE a.bucket = to_char(h.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24:MI')
    UNION ALL
    SELECT '-infinity', NULL, max(u.rated_at)
    FROM rated_usage u
    WHERE u.window_start = h.hour
    HAVING count(*) > 0
  ) s
  ORDER BY s.at DESC
  LIMIT 1
) seen ON true
CROSS JOIN LATERAL (
  SELECT count(*) AS events, count(*) FILTER (WHERE e.created_at > COALESCE(seen.newest_event_at, '-infinity')) AS newer,
    COALESCE(max(e.created_at), '-infinity') AS newest
  FROM billing_event e
  WHERE COALESCE(e.event_ts, e.created_at) >= h.hour AND COALESCE(e.event_ts, e.created_at) < h.hour + interval '1 hour'
) n
WHERE GREATEST(n.newer, n.events - seen.events) > 0
ON CONFLICT (bucket) DO UPDATE SET
  events = EXCLUDED.events,
  events_now = EXCLUDED.events_now,
  newest_event_at = EXCLUDED.newest_event_at,
  estimated_cost = CASE
    WHEN (b.events_now, b.newest_event_at) = (EXCLUDED.events_now, EXCLUDED.newest_event_at) THEN b.estimated_cost
  END,
  confirmed_at = now()
