-- select_tick_range: when the first and the last stored tick of a schedule or sensor were; null without a tick.
--
-- Parameters
--   origin_id, selector_id   text   as Dagster identifies it
SELECT min(t.timestamp) AT TIME ZONE 'UTC', max(t.timestamp) AT TIME ZONE 'UTC'
FROM job_ticks t
WHERE t.selector_id = %(selector_id)s OR (t.selector_id IS NULL AND t.job_origin_id = %(origin_id)s)
