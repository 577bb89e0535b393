-- generator_copy_artists: loads generated artists.
COPY artists (id, artist_name, code_letters, alphabetical_name) FROM STDIN
