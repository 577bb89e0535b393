-- select_is_accepted: whether an operator accepted unbilled events of an hour after its last rating.
--
-- Parameters
--   hour   timestamptz
SELECT EXISTS (
  SELECT FROM wxyc_assets.accepted_usage a
  JOIN wxyc_assets.rated_hour h ON h.window_start = %(hour)s
  WHERE a.bucket = to_char(%(hour)s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24:MI') AND a.accepted_at > h.rated_at)
