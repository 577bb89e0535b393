-- upsert_tally: the ledger has the run's counters of this partition so far.
--
-- Parameters
--   asset, partition_key, run_id   text
--   counters                       jsonb     the contract's counter names, absolute, from the start of the run
--   complete                       boolean   the partition was processed to its end
INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete)
VALUES (%(asset)s, %(partition_key)s, %(run_id)s, %(counters)s, %(complete)s)
ON CONFLICT (asset, partition_key, run_id)
DO UPDATE SET counters = EXCLUDED.counters, complete = EXCLUDED.complete, updated_at = now()
