-- sample_album_metadata: what earlier runs of the album pass left, for the albums whose identity is fresh.
--
-- Parameters
--   anchor     timestamptz    the moment that every age is counted back from
INSERT INTO album_metadata (album_id, release_year, label, genres, updated_at)
SELECT id, release_year, label, ARRAY[genre], %(anchor)s - interval '2 days' FROM sample_album WHERE state = 'fresh'
