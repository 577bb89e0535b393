-- upsert_album_metadata: each album has the ten columns that LML gave, a null erases an older value, and no other column is
-- touched. A row that was stamped at or after the start of this transaction is newer than our answer and stays.
--
-- Parameters
--   rows   json   array of {album_id, the ten columns}, an album once
INSERT INTO album_metadata AS m (
  album_id, artwork_url, discogs_url, release_year, spotify_url, apple_music_url, youtube_music_url, bandcamp_url,
  soundcloud_url, artist_bio, artist_wikipedia_url, updated_at)
SELECT v.album_id, v.artwork_url, v.discogs_url, v.release_year, v.spotify_url, v.apple_music_url, v.youtube_music_url,
  v.bandcamp_url, v.soundcloud_url, v.artist_bio, v.artist_wikipedia_url, now()
FROM json_to_recordset(%(rows)s::json) AS v (
  album_id int, artwork_url text, discogs_url text, release_year smallint, spotify_url text, apple_music_url text,
  youtube_music_url text, bandcamp_url text, soundcloud_url text, artist_bio text, artist_wikipedia_url text)
ORDER BY v.album_id
ON CONFLICT (album_id) DO UPDATE SET
  artwork_url = EXCLUDED.artwork_url,
  discogs_url = EXCLUDED.discogs_url,
  release_year = EXCLUDED.release_year,
  spotify_url = EXCLUDED.spotify_url,
  apple_music_url = EXCLUDED.apple_music_url,
  youtube_music_url = EXCLUDED.youtube_music_url,
  bandcamp_url = EXCLUDED.bandcamp_url,
  soundcloud_url = EXCLUDED.soundcloud_url,
  artist_bio = EXCLUDED.artist_bio,
  artist_wikipedia_url = EXCLUDED.artist_wikipedia_url,
  updated_at = EXCLUDED.updated_at
WHERE m.updated_at < now()
