-- select_album: one album of the library, its row of album_metadata and its record of a no_match; null where there is none.
--
-- Parameters
--   album_id   int
SELECT COALESCE(a.artist_name, l.artist_name) AS artist_name, l.album_title, m.updated_at, to_jsonb(m) AS metadata,
  n.asked_at AS no_match_at, n.run_id AS no_match_run_id, l.id IS NOT NULL AS is_in_library
FROM (SELECT %(album_id)s::int AS id) g
LEFT JOIN library l ON l.id = g.id
LEFT JOIN artists a ON a.id = l.artist_id
LEFT JOIN album_metadata m ON m.album_id = g.id
LEFT JOIN wxyc_assets.album_no_match n ON n.album_id = g.id
