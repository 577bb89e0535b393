-- sample_genres: inserts the genres of the sample's albums.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO genres (genre_name, add_date, last_modified)
SELECT genre, (%(anchor)s AT TIME ZONE 'UTC')::date - 10000, %(anchor)s FROM sample_album GROUP BY genre ORDER BY genre COLLATE "C"
