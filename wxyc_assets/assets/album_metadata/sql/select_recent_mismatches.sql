-- select_recent_mismatches: how many results of recent runs had an unexpected index, and the first of them. Album, reason and
-- run are null if there was none.
--
-- Parameters
--   period   interval   how far to look back, from now
SELECT t.mismatches, q.input_id AS album_id, q.reason, q.run_id
FROM (
  SELECT COALESCE(sum((counters->>'unexpected_index')::int), 0)::int AS mismatches
  FROM wxyc_assets.tally
  WHERE asset = 'album_metadata' AND updated_at > now() - %(period)s::interval
) AS t
LEFT JOIN LATERAL (
  SELECT input_id, reason, run_id
  FROM wxyc_assets.quarantine
  WHERE asset = 'album_metadata' AND kind = 'unexpected_index' AND last_seen_at > now() - %(period)s::interval
  ORDER BY last_seen_at, input_id
  LIMIT 1
) AS q ON t.mismatches > 0
