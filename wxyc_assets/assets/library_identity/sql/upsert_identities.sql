-- upsert_identities: each library has the identity that LML returned; a null erases an older id. An identity whose method is
-- manual when it is written stays: a librarian decided it.
--
-- Parameters
--   rows    json   array with each library once: {library_id, wikidata_qid, spotify_id, apple_music_id, method,
--                  confidence 0 to 1}
--   notes   text   the writer of the row
INSERT INTO library_identity (
  library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, musicbrainz_release_mbid,
  musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, method, confidence, agreement_sources, notes,
  last_verified_at)
SELECT v.library_id, NULL, NULL, NULL, NULL, NULL, v.wikidata_qid, v.spotify_id, v.apple_music_id, v.method, v.confidence,
  NULL, %(notes)s, now()
FROM json_to_recordset(%(rows)s::json)
  AS v (library_id int, wikidata_qid text, spotify_id text, apple_music_id text, method text, confidence real)
ORDER BY v.library_id
ON CONFLICT (library_id) DO UPDATE SET
  discogs_master_id = NULL,
  discogs_release_id = NULL,
  musicbrainz_release_group_mbid = NULL,
  musicbrainz_release_mbid = NULL,
  musicbrainz_recording_mbid = NULL,
  wikidata_qid = EXCLUDED.wikidata_qid,
  spotify_id = EXCLUDED.spotify_id,
  apple_music_id = EXCLUDED.apple_music_id,
  method = EXCLUDED.method,
  confidence = EXCLUDED.confidence,
  agreement_sources = NULL,
  notes = EXCLUDED.notes,
  last_verified_at = EXCLUDED.last_verified_at
WHERE library_identity.method <> 'manual'
