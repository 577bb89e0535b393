-- update_track_credits: these track credits have the artist and the confidence that LML gave, and its position where they have
-- none. A row that a librarian linked since it was read stays, and so does a position that another writer stored. Counts the
-- rows that were written, and those of them that got their position.
--
-- Parameters
--   rows   json   array with each row once: {credit_id, artist_id or null, confidence 0 to 1 or null, position or null}
WITH written AS (
  UPDATE compilation_track_artist c
  SET track_artist_id = v.artist_id,
    track_artist_link_confidence = v.confidence,
    track_artist_link_method = 'lml_backfill',
    track_position = COALESCE(c.track_position, v.position)
  FROM json_to_recordset(%(rows)s::json) AS v (credit_id int, artist_id int, confidence real, position text)
  WHERE c.id = v.credit_id
    AND c.track_artist_link_method IS DISTINCT FROM 'librarian'
    AND (c.track_artist_id, c.track_artist_link_confidence, c.track_artist_link_method, c.track_position)
      IS DISTINCT FROM (v.artist_id, v.confidence, 'lml_backfill', COALESCE(c.track_position, v.position))
  RETURNING c.track_position = v.position AS positioned
)
SELECT count(*), count(*) FILTER (WHERE positioned) FROM written
