-- select_marked_without_metadata: how many plays are marked as enriched although their album has no populated metadata, of how
-- many albums, and the first three of these albums.
SELECT COALESCE(sum(a.plays), 0)::int AS plays, count(*)::int AS albums,
  COALESCE((array_agg(a.album_id ORDER BY a.album_id))[1:3], '{}') AS first_albums
FROM (
  SELECT f.album_id, count(*) AS plays
  FROM flowsheet f
  WHERE f.album_id IS NOT NULL AND f.entry_type = 'track' AND f.metadata_status = 'enriched_match'
    AND NOT EXISTS (
      SELECT FROM album_metadata am
      WHERE am.album_id = f.album_id AND (am.artwork_url IS NOT NULL OR am.discogs_url IS NOT NULL))
  GROUP BY f.album_id
) a
