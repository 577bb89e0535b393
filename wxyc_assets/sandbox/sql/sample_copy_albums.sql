-- sample_copy_albums: loads catalogue/albums.csv.
COPY sample_album (id, artist, title, label, release_year, genre, format, tracks) FROM STDIN WITH (FORMAT csv, HEADER)
