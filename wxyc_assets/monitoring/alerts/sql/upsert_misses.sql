-- upsert_misses: a run that failed planned these partitions of an asset and did not credit them; a later miss stays.
--
-- Parameters
--   asset, run_id    text
--   partition_keys   text[]
--   missed_at        timestamptz   by the clock of the run's host
--   event_id         bigint        storage id of the event with which the run ended
INSERT INTO wxyc_assets.partition_state AS s (asset, partition_key, missed_at, missed_run, missed_event_id)
SELECT %(asset)s, m.partition_key, LEAST(%(missed_at)s, clock_timestamp()), %(run_id)s, %(event_id)s::bigint
FROM unnest(%(partition_keys)s::text[]) AS m (partition_key)
ON CONFLICT (asset, partition_key) DO UPDATE SET
  missed_at = EXCLUDED.missed_at, missed_run = EXCLUDED.missed_run, missed_event_id = EXCLUDED.missed_event_id
WHERE s.missed_at IS NULL OR s.missed_event_id < EXCLUDED.missed_event_id
