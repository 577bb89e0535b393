-- forget_no_matches: albums that LML knows after all are not remembered as unknown.
--
-- Parameters
--   album_id   int[]
DELETE FROM wxyc_assets.album_no_match
WHERE album_id = ANY (%(album_id)s::int[])
