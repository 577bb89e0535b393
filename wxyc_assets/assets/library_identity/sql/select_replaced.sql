-- select_replaced: the identities that one album had before, the latest first, and why each was replaced.
--
-- Parameters
--   library_id   int
SELECT h.superseded_at, h.superseded_reason, h.method, h.confidence, h.last_verified_at, h.wikidata_qid, h.spotify_id,
  h.apple_music_id, h.notes
FROM library_identity_history h
WHERE h.library_id = %(library_id)s::int
ORDER BY h.superseded_at DESC, h.history_id DESC
