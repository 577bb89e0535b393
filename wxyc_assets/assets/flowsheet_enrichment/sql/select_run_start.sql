-- select_beginning: where a pass begins: the database's clock, and the highest play that waits; later plays are the next run's.
SELECT clock_timestamp(), COALESCE(max(f.id), 0)
FROM flowsheet f
WHERE f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending'
