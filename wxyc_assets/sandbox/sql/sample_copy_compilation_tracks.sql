-- sample_copy_compilation_tracks: loads catalogue/compilation_tracks.csv.
COPY sample_compilation_track (library_id, artist, title, position) FROM STDIN WITH (FORMAT csv, HEADER)
