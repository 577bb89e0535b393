-- select_differences: the first rows that a rating in this transaction changed.
--
-- Parameters
--   window_start   timestamptz   the hour
--   run_id         text          what the rating named as its cause
--   shown          int           how many
SELECT c.kind, c.auth_id, c.resource_id, c.model_id, (c.before).cost::text AS before, (c.after).cost::text AS after
FROM wxyc_assets.usage_change c
WHERE c.window_start = %(window_start)s AND c.run_id = %(run_id)s
ORDER BY c.auth_id COLLATE "C", c.resource_id COLLATE "C", c.model_id COLLATE "C"
LIMIT %(shown)s
