-- 0011_upgrade: pending_play says when each play was played, because the station's enrichment worker owns the young ones.

-- The bodies below name the station's tables, which this role may not have made yet.
SET LOCAL check_function_bodies = off;

-- A function that returns other columns cannot be replaced. Its callers name it in their text, so nothing depends on it.
DROP FUNCTION wxyc_assets.pending_play();

-- The plays whose metadata is pending: what album_metadata asks for, and what flowsheet_enrichment turns to enriched_match.
-- Unqualified names: the caller's search_path says which station. A plain SQL function, so that the planner inlines it. Read it
-- by ranges of play_id: each is a range of flowsheet_metadata_status_pending_idx, however long the flowsheet is.
CREATE FUNCTION wxyc_assets.pending_play() RETURNS TABLE (play_id integer, album_id integer, played_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT f.id, f.album_id, f.add_time
  FROM flowsheet f
  WHERE f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending' AND f.album_id IS NOT NULL
$$;
COMMENT ON FUNCTION wxyc_assets.pending_play IS
  'Track rows of the flowsheet with an artist and an album whose metadata is pending, and when each was played.';
