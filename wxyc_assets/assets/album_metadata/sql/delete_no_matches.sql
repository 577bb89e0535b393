-- delete_no_matches: albums that LML knows now have no record of an earlier no_match.
--
-- Parameters
--   album_id   int[]
DELETE FROM wxyc_assets.album_no_match
WHERE album_id = ANY (%(album_id)s::int[])
