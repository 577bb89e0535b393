-- select_run_start: the start of a run: the database's clock, and the highest pending play; later plays belong to the next run.
SELECT clock_timestamp(), COALESCE(max(f.id), 0)
FROM flowsheet f
WHERE f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
