-- select_runs_with_end: the runs among these whose end is among the stored events.
--
-- Parameters
--   run_ids   text[]
--   ends      text[]   the types of the events with which a run ends
SELECT DISTINCT e.run_id
FROM event_logs e
WHERE e.run_id = ANY (%(run_ids)s::text[]) AND e.dagster_event_type = ANY (%(ends)s::text[])
