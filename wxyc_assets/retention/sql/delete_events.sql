-- delete_events: of the events of these runs that were stored before an instant, only those remain that Dagster shows as the state
-- of an asset: the latest of each type, asset and partition. A plan to materialize a partition remains only if no materialization
-- followed, or if it is the asset's latest. An empty run id stands for the events without a run.
--
-- Parameters
--   run_ids   text[]
--   before    timestamptz
--   below     bigint        events with this storage id or a greater one remain
WITH gone AS (
  DELETE FROM event_logs e
  USING (
    SELECT o.id,
      CASE WHEN o.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
        THEN ARRAY['ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION'] ELSE ARRAY[o.dagster_event_type] END AS successors
    FROM event_logs o
    WHERE o.run_id = ANY (%(run_ids)s::text[]) AND o.timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
      AND o.id < %(below)s::bigint
  ) old
  WHERE e.id = old.id
    AND CASE
      WHEN e.asset_key IS NULL THEN true
      WHEN e.partition IS NULL THEN EXISTS (
        SELECT FROM event_logs n
        WHERE n.asset_key = e.asset_key AND n.dagster_event_type = ANY (old.successors) AND n.partition IS NULL AND n.id > e.id)
      ELSE EXISTS (
        SELECT FROM event_logs n
        WHERE n.asset_key = e.asset_key AND n.dagster_event_type = ANY (old.successors) AND n.partition = e.partition
          AND n.id > e.id)
      END
    AND (e.dagster_event_type IS DISTINCT FROM 'ASSET_MATERIALIZATION_PLANNED' OR EXISTS (
      SELECT FROM event_logs n
      WHERE n.asset_key = e.asset_key AND n.dagster_event_type = e.dagster_event_type AND n.id > e.id))
  RETURNING e.id, e.run_id, pg_column_size(e.*) AS size
), tags AS (
  DELETE FROM asset_event_tags t USING gone WHERE t.event_id = gone.id
)
SELECT count(*), COALESCE(sum(g.size), 0)::bigint, COALESCE(array_agg(DISTINCT g.run_id), '{}')
FROM gone g
