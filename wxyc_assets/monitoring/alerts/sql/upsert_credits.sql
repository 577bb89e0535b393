-- upsert_credits: a run credited these partitions of an asset; a later credit stays.
--
-- Parameters
--   asset, run_id    text
--   partition_keys   text[]
--   credited_at      timestamptz[]   by the clock of the run's host
--   event_ids        bigint[]        storage ids of the events
INSERT INTO wxyc_assets.partition_state AS s (asset, partition_key, credited_at, credited_run, credited_event_id)
SELECT %(asset)s, c.partition_key, LEAST(c.credited_at, clock_timestamp()), %(run_id)s, c.event_id
FROM unnest(%(partition_keys)s::text[], %(credited_at)s::timestamptz[], %(event_ids)s::bigint[])
  AS c (partition_key, credited_at, event_id)
ON CONFLICT (asset, partition_key) DO UPDATE SET
  credited_at = EXCLUDED.credited_at, credited_run = EXCLUDED.credited_run, credited_event_id = EXCLUDED.credited_event_id
WHERE s.credited_at IS NULL OR s.credited_event_id < EXCLUDED.credited_event_id
