-- select_partition_histories: when each partition of each asset was last credited, and last missed.
SELECT asset, partition_key, credited_at, credited_run, missed_at, credited_event_id, missed_event_id
FROM wxyc_assets.partition_state
