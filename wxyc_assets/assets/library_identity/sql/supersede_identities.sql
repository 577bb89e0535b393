-- supersede_identities: each stored identity that a new verdict changes is in library_identity_history, and its row is locked
-- until the transaction replaces it. A verdict that confirms the stored identity adds no history. A manual identity is
-- never replaced.
--
-- Parameters
--   rows     json   array with each library once: {library_id, wikidata_qid, spotify_id, apple_music_id, method,
--                   confidence 0 to 1}
--   reason   text   why the old row was superseded
WITH verdict AS (
  SELECT * FROM json_to_recordset(%(rows)s::json)
    AS v (library_id int, wikidata_qid text, spotify_id text, apple_music_id text, method text, confidence real)
), changed AS (
  SELECT i.*
  FROM library_identity i
  JOIN verdict v USING (library_id)
  WHERE i.method <> 'manual'
    AND (i.discogs_master_id, i.discogs_release_id, i.musicbrainz_release_group_mbid, i.musicbrainz_release_mbid,
         i.musicbrainz_recording_mbid, i.wikidata_qid, i.spotify_id, i.apple_music_id, i.method, i.confidence,
         i.agreement_sources)
    IS DISTINCT FROM
        (NULL::int, NULL::int, NULL::uuid, NULL::uuid, NULL::uuid, v.wikidata_qid, v.spotify_id, v.apple_music_id,
         v.method, v.confidence, NULL::text)
  FOR UPDATE OF i
)
INSERT INTO library_identity_history (
  library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, musicbrainz_release_mbid,
  musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, last_verified_at, method, confidence,
  agreement_sources, notes, superseded_reason, reason_category)
SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, musicbrainz_release_mbid,
  musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, last_verified_at, method, confidence,
  agreement_sources, notes, %(reason)s, 'verdict_changed'
FROM changed
ORDER BY library_id
