-- upsert_credits: these partitions of an asset were credited by a run, unless a later one has.
--
-- Parameters
--   asset, run_id    text
--   partition_keys   text[]
--   credited_at      timestamptz[]
INSERT INTO wxyc_assets.partition_state AS s (asset, partition_key, credited_at, credited_run)
SELECT %(asset)s, c.partition_key, c.credited_at, %(run_id)s
FROM unnest(%(partition_keys)s::text[], %(credited_at)s::timestamptz[]) AS c (partition_key, credited_at)
ON CONFLICT (asset, partition_key) DO UPDATE SET credited_at = EXCLUDED.credited_at, credited_run = EXCLUDED.credited_run
WHERE s.credited_at IS NULL OR s.credited_at < EXCLUDED.credited_at
