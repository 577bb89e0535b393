-- mark_pushed: token-push was run for a window.
--
-- Parameters
--   since, until   timestamptz   the window; its end is not included
--   pushed_by      text
UPDATE wxyc_assets.unpushed_hour h
SET pushed_at = now(), pushed_by = %(pushed_by)s
WHERE h.pushed_at IS NULL AND h.window_start >= %(since)s::timestamptz AND h.window_start < %(until)s::timestamptz
RETURNING h.window_start
