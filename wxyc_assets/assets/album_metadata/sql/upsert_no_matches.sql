-- upsert_no_matches: each album that LML did not know has a record with the time and the names of the request.
--
-- Parameters (arrays of equal length, each album once)
--   album_id                   int[]
--   artist_name, album_title   text[]
--   run_id                     text
INSERT INTO wxyc_assets.album_no_match (album_id, artist_name, album_title, run_id)
SELECT r.album_id, r.artist_name, r.album_title, %(run_id)s
FROM unnest(%(album_id)s::int[], %(artist_name)s::text[], %(album_title)s::text[]) AS r (album_id, artist_name, album_title)
ON CONFLICT (album_id) DO UPDATE SET
  artist_name = EXCLUDED.artist_name, album_title = EXCLUDED.album_title, run_id = EXCLUDED.run_id, asked_at = now()
