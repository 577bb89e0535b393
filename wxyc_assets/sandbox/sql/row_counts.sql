-- row_counts: the number of rows in each table of the station.
SELECT 'genres' AS table_name, count(*) AS row_count FROM genres
UNION ALL SELECT 'format', count(*) FROM format
UNION ALL SELECT 'artists', count(*) FROM artists
UNION ALL SELECT 'library', count(*) FROM library
UNION ALL SELECT 'library_identity', count(*) FROM library_identity
UNION ALL SELECT 'library_identity_source', count(*) FROM library_identity_source
UNION ALL SELECT 'library_identity_history', count(*) FROM library_identity_history
UNION ALL SELECT 'compilation_track_artist', count(*) FROM compilation_track_artist
UNION ALL SELECT 'album_metadata', count(*) FROM album_metadata
UNION ALL SELECT 'shows', count(*) FROM shows
UNION ALL SELECT 'show_djs', count(*) FROM show_djs
UNION ALL SELECT 'rotation', count(*) FROM rotation
UNION ALL SELECT 'flowsheet', count(*) FROM flowsheet
UNION ALL SELECT 'library_watermark', count(*) FROM library_watermark
UNION ALL SELECT 'flowsheet_watermark', count(*) FROM flowsheet_watermark
UNION ALL SELECT 'billing_event', count(*) FROM billing_event
UNION ALL SELECT 'rated_usage', count(*) FROM rated_usage
UNION ALL SELECT 'io_log', count(*) FROM io_log
