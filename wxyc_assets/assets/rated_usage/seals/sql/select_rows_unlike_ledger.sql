-- select_rows_unlike_ledger: the first rows of an hour whose id, or whose time of rating, is not that of their last change in the
-- ledger. No event and no price decides these, so that rating again does not find them.
--
-- Parameters
--   window_start, window_end   timestamptz   the hour; its end is excluded
--   shown                      int           how many
SELECT u.auth_id, u.resource_id, u.model_id
FROM rated_usage u
JOIN LATERAL (
  SELECT c.usage_id, (c.after).rated_at AS rated_at
  FROM wxyc_assets.usage_change c
  WHERE c.window_start = u.window_start AND c.auth_id = u.auth_id AND c.resource_id = u.resource_id AND c.model_id = u.model_id
  ORDER BY c.change_id DESC
  LIMIT 1
) last ON true
WHERE u.window_start >= %(window_start)s AND u.window_start < %(window_end)s
  AND (last.usage_id, last.rated_at) IS DISTINCT FROM (u.id::text, u.rated_at)
ORDER BY u.auth_id COLLATE "C", u.resource_id COLLATE "C", u.model_id COLLATE "C"
LIMIT %(shown)s
