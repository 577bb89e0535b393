-- select_manual_differences: the manual identities among these libraries; one row for each: its library, and how LML's verdict differs
-- from what the librarian decided, empty if it does not. An identity that this transaction wrote itself is none of them.
--
-- Parameters
--   rows   json   array with each library once: {library_id, wikidata_qid, spotify_id, apple_music_id}
SELECT i.library_id, concat_ws('; ',
  CASE WHEN i.wikidata_qid IS DISTINCT FROM v.wikidata_qid
    THEN format('wikidata_qid %%s, LML says %%s', COALESCE(i.wikidata_qid, 'none'), COALESCE(v.wikidata_qid, 'none')) END,
  CASE WHEN i.spotify_id IS DISTINCT FROM v.spotify_id
    THEN format('spotify_id %%s, LML says %%s', COALESCE(i.spotify_id, 'none'), COALESCE(v.spotify_id, 'none')) END,
  CASE WHEN i.apple_music_id IS DISTINCT FROM v.apple_music_id
    THEN format('apple_music_id %%s, LML says %%s', COALESCE(i.apple_music_id, 'none'), COALESCE(v.apple_music_id, 'none')) END)
FROM library_identity i
JOIN json_to_recordset(%(rows)s::json)
  AS v (library_id int, wikidata_qid text, spotify_id text, apple_music_id text) ON v.library_id = i.library_id
WHERE i.method = 'manual' AND i.last_verified_at <> now()
