-- select_album_states: artist and title of these albums as LML is asked about them, by ascending id, and whether to ask.
--
-- Parameters
--   album_ids     int[]         each once
--   as_of         timestamptz   ages are measured at this instant; it is the same for the whole run
--   retry_after   interval      LML is not asked again about an album without a match for this long
SELECT q.album_id, q.artist_name, q.album_title, q.state
FROM wxyc_assets.album_question(%(album_ids)s::int[], %(as_of)s, %(retry_after)s) q
ORDER BY q.album_id
