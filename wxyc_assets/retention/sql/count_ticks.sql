-- count_ticks: how many ticks of a schedule or sensor there were from one instant until another, and their size.
--
-- Parameters
--   origin_id, selector_id   text          as Dagster identifies it
--   since, until             timestamptz
SELECT count(*), COALESCE(sum(pg_column_size(t.*)), 0)::bigint
FROM job_ticks t
WHERE (t.selector_id = %(selector_id)s OR (t.selector_id IS NULL AND t.job_origin_id = %(origin_id)s))
  AND t.timestamp >= %(since)s::timestamptz AT TIME ZONE 'UTC' AND t.timestamp < %(until)s::timestamptz AT TIME ZONE 'UTC'
