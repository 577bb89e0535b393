-- sample_genres: the shelves that the sample's albums stand on.
--
-- Parameters
--   anchor     timestamptz    the moment that every age is counted back from
INSERT INTO genres (genre_name, add_date, last_modified)
SELECT genre, (%(anchor)s AT TIME ZONE 'UTC')::date - 10000, %(anchor)s FROM sample_album GROUP BY genre ORDER BY genre COLLATE "C"
