-- upsert_album_metadata: each album has what LML said of it, merged with what its row has at this moment.
--
-- What LML said nothing of stays, so that no link is lost: a link is only replaced by another one, and by none only where LML
-- says that Apple Music does not have the album. A verified link to a streaming service, and its status, never change. A row
-- that was stamped at or after the start of this transaction is newer than LML's answer and stays unchanged, unless it is a
-- shell: a row without artwork_url and discogs_url, which the station stores for an album without a match.
-- Source: contract/neighbours.md, streaming verdicts.
-- A row that changes is in wxyc_assets.replaced_album as it was. Returns the number of rows that were written.
--
-- Parameters
--   rows   json   array of {album_id, the ten columns, the status of three streaming services}, each album once
WITH said AS MATERIALIZED (
  SELECT *
  FROM json_to_recordset(%(rows)s::json) AS v (
    album_id int, artwork_url text, discogs_url text, release_year smallint, spotify_url text, apple_music_url text,
    youtube_music_url text, bandcamp_url text, soundcloud_url text, artist_bio text, artist_wikipedia_url text,
    spotify_status text, apple_music_status text, bandcamp_status text)
), prior AS MATERIALIZED (
  SELECT m.*
  FROM album_metadata m
  WHERE m.album_id = ANY (ARRAY(SELECT v.album_id FROM said v))
  ORDER BY m.album_id
  FOR UPDATE
), written AS (
  INSERT INTO album_metadata AS m (
    album_id, artwork_url, discogs_url, release_year, spotify_url, apple_music_url, youtube_music_url, bandcamp_url,
    soundcloud_url, artist_bio, artist_wikipedia_url, spotify_status, apple_music_status, bandcamp_status, updated_at)
  SELECT v.album_id, v.artwork_url, v.discogs_url, v.release_year, v.spotify_url, v.apple_music_url,
    NULLIF(v.youtube_music_url, ''), NULLIF(v.bandcamp_url, ''), NULLIF(v.soundcloud_url, ''), v.artist_bio,
    NULLIF(v.artist_wikipedia_url, ''), v.spotify_status, v.apple_music_status, v.bandcamp_status, now()
  FROM said v
  -- Runs after the rows were read as they were.
  WHERE (SELECT count(*) FROM prior) >= 0
  ORDER BY v.album_id
  ON CONFLICT (album_id) DO UPDATE SET
    artwork_url = COALESCE(EXCLUDED.artwork_url, m.artwork_url),
    -- LML sends an empty address for an album that only streaming services have: it replaces no address.
    discogs_url = COALESCE(NULLIF(EXCLUDED.discogs_url, ''), m.discogs_url, EXCLUDED.discogs_url),
    release_year = COALESCE(EXCLUDED.release_year, m.release_year),
    spotify_url = CASE
      WHEN m.spotify_status = 'verified' THEN m.spotify_url
      WHEN EXCLUDED.spotify_status = 'verified' THEN EXCLUDED.spotify_url
      ELSE COALESCE(m.spotify_url, EXCLUDED.spotify_url) END,
    spotify_status = CASE
      WHEN m.spotify_status = 'verified' THEN m.spotify_status
      WHEN m.spotify_status = 'absent' AND EXCLUDED.spotify_status <> 'verified' THEN m.spotify_status
      ELSE COALESCE(EXCLUDED.spotify_status, m.spotify_status) END,
    apple_music_url = CASE
      WHEN m.apple_music_status = 'verified' THEN m.apple_music_url
      WHEN EXCLUDED.apple_music_status = 'verified' THEN EXCLUDED.apple_music_url
      WHEN EXCLUDED.apple_music_status = 'absent' THEN NULL
      ELSE COALESCE(m.apple_music_url, EXCLUDED.apple_music_url) END,
    apple_music_status = CASE
      WHEN m.apple_music_status = 'verified' THEN m.apple_music_status
      WHEN m.apple_music_status = 'absent' AND EXCLUDED.apple_music_status <> 'verified' THEN m.apple_music_status
      ELSE COALESCE(EXCLUDED.apple_music_status, m.apple_music_status) END,
    youtube_music_url = COALESCE(EXCLUDED.youtube_music_url, m.youtube_music_url),
    bandcamp_url = CASE
      WHEN m.bandcamp_status = 'verified' THEN m.bandcamp_url
      WHEN EXCLUDED.bandcamp_status = 'verified' THEN EXCLUDED.bandcamp_url
      ELSE COALESCE(m.bandcamp_url, EXCLUDED.bandcamp_url) END,
    bandcamp_status = CASE
      WHEN m.bandcamp_status = 'verified' THEN m.bandcamp_status
      WHEN m.bandcamp_status = 'absent' AND EXCLUDED.bandcamp_status <> 'verified' THEN m.bandcamp_status
      ELSE COALESCE(EXCLUDED.bandcamp_status, m.bandcamp_status) END,
    soundcloud_url = COALESCE(EXCLUDED.soundcloud_url, m.soundcloud_url),
    artist_bio = COALESCE(EXCLUDED.artist_bio, m.artist_bio),
    artist_wikipedia_url = COALESCE(EXCLUDED.artist_wikipedia_url, m.artist_wikipedia_url),
    -- The station counts how often it asked again about an album that had a match already.
    streaming_reask_attempts = m.streaming_reask_attempts
      + (m.artwork_url IS NOT NULL OR m.discogs_url IS NOT NULL)::int,
    updated_at = GREATEST(m.updated_at, EXCLUDED.updated_at)
  WHERE m.updated_at < now() OR (m.artwork_url IS NULL AND m.discogs_url IS NULL)
  RETURNING m.*
), kept AS (
  INSERT INTO wxyc_assets.replaced_album (album_id, before)
  SELECT p.album_id, to_jsonb(p)
  FROM prior p
  JOIN written w USING (album_id)
  WHERE (
    p.artwork_url, p.discogs_url, p.release_year, p.spotify_url, p.apple_music_url, p.youtube_music_url, p.bandcamp_url,
    p.soundcloud_url, p.artist_bio, p.artist_wikipedia_url, p.spotify_status, p.apple_music_status, p.bandcamp_status
  ) IS DISTINCT FROM (
    w.artwork_url, w.discogs_url, w.release_year, w.spotify_url, w.apple_music_url, w.youtube_music_url, w.bandcamp_url,
    w.soundcloud_url, w.artist_bio, w.artist_wikipedia_url, w.spotify_status, w.apple_music_status, w.bandcamp_status
  )
)
SELECT count(*) FROM written
