-- 0011_downgrade: pending_play is as 0002_upgrade made it.
SET LOCAL check_function_bodies = off;
DROP FUNCTION wxyc_assets.pending_play();
CREATE FUNCTION wxyc_assets.pending_play() RETURNS TABLE (play_id integer, album_id integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT f.id, f.album_id
  FROM flowsheet f
  WHERE f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending' AND f.album_id IS NOT NULL
$$;
COMMENT ON FUNCTION wxyc_assets.pending_play IS 'Track rows of the flowsheet with an artist and an album whose metadata is pending.';
