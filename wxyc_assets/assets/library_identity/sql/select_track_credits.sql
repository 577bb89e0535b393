-- select_track_credits: what is stored of the track credits that LML names, by ascending id: one row for each that exists.
--
-- Parameters
--   rows   json   array with each artist and title of a library once: {library_id, artist_name, track_title or null,
--                 confidence 0 to 1 or null}
WITH said AS MATERIALIZED (
  SELECT *
  FROM ROWS FROM (json_to_recordset(%(rows)s::json)
    AS (library_id int, artist_name text, track_title text, confidence real)) WITH ORDINALITY
    AS s (library_id, artist_name, track_title, confidence, place)
), stored AS MATERIALIZED (
  SELECT c.*
  FROM (SELECT DISTINCT library_id FROM said) AS library
  CROSS JOIN LATERAL (SELECT * FROM compilation_track_artist t WHERE t.library_id = library.library_id OFFSET 0) AS c
)
SELECT s.place, c.id AS credit_id, c.track_artist_link_method IS NOT DISTINCT FROM 'librarian' AS by_librarian,
  c.track_artist_id AS artist_id,
  (c.track_artist_link_confidence, c.track_artist_link_method) IS NOT DISTINCT FROM (s.confidence, 'lml_backfill') AS confirmed,
  c.track_position IS NOT NULL AS has_position
FROM said s
-- A title may be unknown; written so, the join can hash.
JOIN stored c ON c.library_id = s.library_id AND c.artist_name = s.artist_name
  AND COALESCE(c.track_title, '') = COALESCE(s.track_title, '') AND (c.track_title IS NULL) = (s.track_title IS NULL)
ORDER BY c.id
