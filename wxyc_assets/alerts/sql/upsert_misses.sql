-- upsert_misses: these partitions of an asset were to be done by a run that failed, and were not, unless a later one missed them.
--
-- Parameters
--   asset, run_id    text
--   partition_keys   text[]
--   missed_at        timestamptz
INSERT INTO wxyc_assets.partition_state AS s (asset, partition_key, missed_at, missed_run)
SELECT %(asset)s, m.partition_key, %(missed_at)s, %(run_id)s
FROM unnest(%(partition_keys)s::text[]) AS m (partition_key)
ON CONFLICT (asset, partition_key) DO UPDATE SET missed_at = EXCLUDED.missed_at, missed_run = EXCLUDED.missed_run
WHERE s.missed_at IS NULL OR s.missed_at < EXCLUDED.missed_at
