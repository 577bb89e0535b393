-- sample_compilation_tracks: inserts the tracks of the compilations; some titles are unknown, as on the station's cards.
INSERT INTO compilation_track_artist (library_id, artist_name, track_title, track_position)
SELECT library_id, artist, title, position FROM sample_compilation_track ORDER BY library_id, artist COLLATE "C", title COLLATE "C"
