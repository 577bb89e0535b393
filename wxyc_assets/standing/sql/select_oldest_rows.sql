-- select_oldest_rows: the database's clock, and the age of what is oldest: the identity that was verified first, the metadata
-- written first, the play that has waited longest for its mark, the first release in rotation that has no identity, and the first
-- hour that was billed. Null where there is none.
SELECT clock_timestamp(),
  (SELECT min(i.last_verified_at) FROM library_identity i),
  (SELECT min(m.updated_at) FROM album_metadata m),
  (SELECT f.add_time FROM wxyc_assets.pending_play() p JOIN flowsheet f ON f.id = p.play_id ORDER BY p.play_id LIMIT 1),
  (SELECT min(r.add_date)::timestamptz FROM rotation r
    WHERE r.lml_identity_id IS NULL AND r.discogs_release_id IS NOT NULL AND (r.kill_date IS NULL OR r.kill_date > current_date)),
  (SELECT min(u.window_start) FROM rated_usage u)
