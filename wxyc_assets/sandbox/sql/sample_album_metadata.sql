-- sample_album_metadata: inserts metadata of the albums with a fresh identity, and of those with a play that is marked as a match, as
-- earlier runs would have written it.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO album_metadata (album_id, release_year, label, genres, discogs_url, updated_at)
SELECT id, release_year, label, ARRAY[genre], 'https://www.discogs.com/release/' || (1000000 + id), %(anchor)s - interval '2 days'
FROM sample_album
WHERE state = 'fresh'
  OR EXISTS (SELECT FROM flowsheet f WHERE f.album_id = sample_album.id AND f.metadata_status = 'enriched_match')
