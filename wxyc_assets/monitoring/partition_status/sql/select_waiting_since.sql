-- select_waiting_since: the database's clock as at, and since when the oldest input waits that a run of an asset would take, in a
-- column named like the asset: a play whose album has no metadata and may be looked up, a play whose album has metadata and that
-- is not marked, a release in rotation without identity. Null where nothing waits.
--
-- Parameters
--   retry_after   interval   how long an album rests that LML did not know
--   grace         interval   the age in which a play belongs to the station's enrichment worker, and waits for no asset
WITH unknown AS (
  SELECT p.album_id, min(p.play_id) AS play_id
  FROM wxyc_assets.pending_play() p
  WHERE p.played_at <= now() - %(grace)s::interval AND NOT EXISTS (
    SELECT FROM album_metadata m
    WHERE m.album_id = p.album_id AND (m.artwork_url IS NOT NULL OR m.discogs_url IS NOT NULL))
  GROUP BY p.album_id
)
SELECT clock_timestamp() AS at,
  (SELECT min(f.add_time)
    FROM wxyc_assets.album_question((SELECT array_agg(u.album_id) FROM unknown u), now(), %(retry_after)s) q
    JOIN unknown u ON u.album_id = q.album_id
    JOIN flowsheet f ON f.id = u.play_id
    WHERE q.state = 'ask') AS album_metadata,
  (SELECT p.played_at FROM wxyc_assets.pending_play() p
    WHERE p.played_at <= now() - %(grace)s::interval AND EXISTS (
      SELECT FROM album_metadata m
      WHERE m.album_id = p.album_id AND (m.artwork_url IS NOT NULL OR m.discogs_url IS NOT NULL))
    ORDER BY p.play_id LIMIT 1) AS flowsheet_enrichment,
  (SELECT min(r.add_date)::timestamptz FROM rotation r
    WHERE r.lml_identity_id IS NULL AND r.discogs_release_id IS NOT NULL
      AND (r.kill_date IS NULL OR r.kill_date > now()::date))
    AS rotation_identity
