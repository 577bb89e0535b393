-- select_pasts: when each partition of each asset was last credited, and last missed.
SELECT asset, partition_key, credited_at, credited_run, missed_at
FROM wxyc_assets.partition_state
