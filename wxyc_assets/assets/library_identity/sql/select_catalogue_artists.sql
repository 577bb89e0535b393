-- select_catalogue_artists: the artist of the catalogue for each name, one row for each name that exactly one artist has. Names are
-- compared folded: without marks and case.
--
-- Parameters
--   names   json   array of names, each once
SELECT n.name, a.artist_id
FROM json_array_elements_text(%(names)s::json) AS n (name)
-- LATERAL, so that each name is looked up in the index of folded names, whatever the planner expects.
CROSS JOIN LATERAL (
  SELECT CASE WHEN count(*) = 1 THEN min(id) END AS artist_id
  FROM artists
  WHERE fold_artist_name(artists.artist_name) = fold_artist_name(n.name)
) AS a
WHERE a.artist_id IS NOT NULL
