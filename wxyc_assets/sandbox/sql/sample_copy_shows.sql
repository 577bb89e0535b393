-- sample_copy_shows: loads catalogue/shows.csv.
COPY sample_show (name, dj_name, genre) FROM STDIN WITH (FORMAT csv, HEADER)
