-- select_library: one album of the library, its identity and its marker; null where there is none.
--
-- Parameters
--   library_id   int
SELECT l.artist_name, l.album_title, l.canonical_entity_id, l.unresolved_attempted_at, i.last_verified_at,
  to_jsonb(i) AS identity, l.id IS NOT NULL AS is_in_library
FROM (SELECT %(library_id)s::int AS id) g
LEFT JOIN library l ON l.id = g.id
LEFT JOIN library_identity i ON i.library_id = g.id
