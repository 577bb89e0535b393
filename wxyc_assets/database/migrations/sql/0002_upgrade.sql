-- 0002_upgrade: what album_metadata needs: the memory of albums that LML did not know, and which albums are pending.

CREATE TABLE wxyc_assets.album_no_match (
  album_id integer PRIMARY KEY,
  artist_name text NOT NULL,
  album_title text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  run_id text NOT NULL
);
COMMENT ON TABLE wxyc_assets.album_no_match IS
  'Albums that LML did not know when it was last asked, and under which names. One whose names were corrected since is asked at once.';

-- For the rolling checks: what was rejected lately, of one kind.
CREATE INDEX quarantine_recent_ix ON wxyc_assets.quarantine (asset, kind, last_seen_at);

-- The bodies below name the station's tables, which this role may not have made yet.
SET LOCAL check_function_bodies = off;

-- The plays whose metadata is pending: what album_metadata asks for, and what flowsheet_enrichment turns to enriched_match.
-- Unqualified names: the caller's search_path says which station. A plain SQL function, so that the planner inlines it. Read it
-- by ranges of play_id: each is a range of flowsheet_metadata_status_pending_idx, however long the flowsheet is.
CREATE FUNCTION wxyc_assets.pending_play() RETURNS TABLE (play_id integer, album_id integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT f.id, f.album_id
  FROM flowsheet f
  WHERE f.entry_type = 'track' AND f.artist_name IS NOT NULL AND f.metadata_status = 'pending' AND f.album_id IS NOT NULL
$$;
COMMENT ON FUNCTION wxyc_assets.pending_play IS 'Track rows of the flowsheet with an artist and an album whose metadata is pending.';

-- What would be asked about an album, and whether it is: the one place that says so. A row for each id that is given once.
CREATE FUNCTION wxyc_assets.album_question(
  album_ids integer[], as_of timestamptz, retry_after interval
) RETURNS TABLE (album_id integer, artist_name text, album_title text, state text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT g.id, COALESCE(a.artist_name, l.artist_name)::text, l.album_title::text,
    CASE
      WHEN l.id IS NULL OR l.discogs_unavailable OR COALESCE(a.artist_name, l.artist_name) IS NULL THEN 'unresolvable'
      WHEN m.asked_at >= as_of - retry_after THEN 'rests'
      WHEN EXISTS (
        SELECT FROM wxyc_assets.quarantine q
        WHERE q.asset = 'album_metadata' AND q.input_id = g.id AND q.wait_until > as_of) THEN 'rests'
      ELSE 'ask'
    END
  FROM unnest(album_ids) AS g (id)
  LEFT JOIN library l ON l.id = g.id
  LEFT JOIN artists a ON a.id = l.artist_id
  LEFT JOIN wxyc_assets.album_no_match m ON m.album_id = g.id
    AND m.artist_name = COALESCE(a.artist_name, l.artist_name) AND m.album_title = l.album_title
$$;
COMMENT ON FUNCTION wxyc_assets.album_question IS
  'Artist and title of albums as LML is asked, and the state: ask; unresolvable (no artist, or flagged unavailable); rests (no match within retry_after, exactly that long ago included, or in quarantine).';
