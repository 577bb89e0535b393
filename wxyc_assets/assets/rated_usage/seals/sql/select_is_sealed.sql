-- select_is_sealed: whether the last entry about an hour seals it.
--
-- Parameters
--   hour   timestamptz
SELECT COALESCE(
  (SELECT s.kind = 'seal' FROM wxyc_assets.seal s WHERE s.window_start = %(hour)s ORDER BY s.seal_id DESC LIMIT 1), false)
