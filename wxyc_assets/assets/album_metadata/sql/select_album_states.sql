-- select_questions: what would be asked about these albums, in the order of their ids, and whether it is.
--
-- Parameters
--   album_ids     int[]         each once
--   as_of         timestamptz   the instant that ages are measured at, fixed for a run
--   retry_after   interval      an album without a match rests this long
SELECT q.album_id, q.artist_name, q.album_title, q.state
FROM wxyc_assets.album_question(%(album_ids)s::int[], %(as_of)s, %(retry_after)s) q
ORDER BY q.album_id
