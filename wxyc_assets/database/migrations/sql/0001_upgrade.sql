-- 0001_upgrade: our schema from nothing. The station's schema is the first entry of search_path while this runs.

CREATE TABLE wxyc_assets.run (
  run_id text PRIMARY KEY,
  asset text NOT NULL,
  origin text NOT NULL CHECK (origin IN ('routine', 'explicit')),
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  verdict text CHECK (verdict IN ('done', 'anomaly', 'failed')),
  reason text
);
COMMENT ON TABLE wxyc_assets.run IS
  'One row a run that took up work. ended_at is null while it works, and for ever when it was killed.';
CREATE INDEX run_unfinished_ix ON wxyc_assets.run (run_id) WHERE ended_at IS NULL;

CREATE TABLE wxyc_assets.tally (
  asset text NOT NULL,
  partition_key text NOT NULL,
  run_id text NOT NULL,
  counters jsonb NOT NULL,
  complete boolean NOT NULL DEFAULT false,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (asset, partition_key, run_id)
);
COMMENT ON TABLE wxyc_assets.tally IS
  'What a run counted in a partition, written in the transaction that writes the rows it counts. complete: the partition was walked to its end.';
CREATE INDEX tally_recent_ix ON wxyc_assets.tally (asset, updated_at);
CREATE INDEX tally_run_ix ON wxyc_assets.tally (run_id);

CREATE TABLE wxyc_assets.quarantine (
  asset text NOT NULL,
  input_id bigint NOT NULL,
  kind text NOT NULL,
  reason text NOT NULL,
  payload_digest text NOT NULL,
  run_id text NOT NULL,
  failures integer NOT NULL DEFAULT 1 CHECK (failures > 0),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  wait_until timestamptz,
  resolved_at timestamptz,
  PRIMARY KEY (asset, input_id, kind)
);
COMMENT ON TABLE wxyc_assets.quarantine IS
  'What could not be used, why, and the SHA-256 of it. failures counts in a row and starts anew after resolved_at; the input rests until wait_until.';
CREATE INDEX quarantine_waiting_ix ON wxyc_assets.quarantine (asset, input_id, wait_until) WHERE wait_until IS NOT NULL;

CREATE TABLE wxyc_assets.budget (
  name text PRIMARY KEY,
  tat timestamptz NOT NULL DEFAULT now(),
  blocked_until timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE wxyc_assets.budget IS
  'One row a shared rate. tat: the instant at which everything reserved so far has been used up (generic cell rate algorithm). blocked_until: nobody calls before, because the service asked for it.';
INSERT INTO wxyc_assets.budget (name) VALUES ('discogs');

CREATE TABLE wxyc_assets.alert (
  alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text NOT NULL,
  asset text NOT NULL,
  source text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warning', 'error')),
  message text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  run_id text,
  occurrences integer NOT NULL DEFAULT 1 CHECK (occurrences > 0),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  closed_at timestamptz,
  closing_delivered_at timestamptz
);
COMMENT ON TABLE wxyc_assets.alert IS
  'The outbox: what a person must hear of, kept here first and delivered to Sentry after. source: the check or step. Open until closed_at.';
CREATE UNIQUE INDEX alert_open_uq ON wxyc_assets.alert (fingerprint) WHERE closed_at IS NULL;
CREATE INDEX alert_undelivered_ix ON wxyc_assets.alert (alert_id) WHERE delivered_at IS NULL OR (closed_at IS NOT NULL AND closing_delivered_at IS NULL);

-- The bodies below name the station's tables, which this role may not have made yet.
SET LOCAL check_function_bodies = off;

-- The one predicate of library_identity: the asset, its checks and the staleness sensor all read it from here.
-- Unqualified names: the caller's search_path says which station. A plain SQL function, so that the planner inlines it.
CREATE FUNCTION wxyc_assets.eligible_library(
  as_of timestamptz, stale_after interval, retry_after interval, include_null_canonical boolean, recheck boolean
) RETURNS TABLE (
  library_id integer, artist_name text, album_title text, legacy_release_id integer,
  last_verified_at timestamptz, unresolved_attempted_at timestamptz
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT l.id, l.artist_name::text, l.album_title::text, l.legacy_release_id, l.last_verified_at, l.unresolved_attempted_at
  FROM (
    -- One pass over the library. As an OR the planner would expect a single row, whatever there is; of a CASE it expects half.
    SELECT s.id, s.artist_name, s.album_title, s.legacy_release_id, s.unresolved_attempted_at, i.last_verified_at
    FROM library s
    LEFT JOIN library_identity i ON i.library_id = s.id
    WHERE NOT recheck
      AND (s.unresolved_attempted_at IS NULL OR s.unresolved_attempted_at < as_of - retry_after)
      AND CASE WHEN i.library_id IS NULL THEN include_null_canonical OR s.canonical_entity_id IS NOT NULL
        ELSE i.last_verified_at < as_of - stale_after END
    UNION ALL
    SELECT m.id, m.artist_name, m.album_title, m.legacy_release_id, m.unresolved_attempted_at, i.last_verified_at
    FROM library m
    LEFT JOIN library_identity i ON i.library_id = m.id
    WHERE recheck AND m.unresolved_attempted_at IS NOT NULL
  ) l
  WHERE l.artist_name IS NOT NULL
    -- NOT IN, since the few that wait are hashed once; an anti-join would look every library up.
    AND l.id NOT IN (
      SELECT q.input_id FROM wxyc_assets.quarantine q WHERE q.asset = 'library_identity' AND q.wait_until > as_of)
$$;
COMMENT ON FUNCTION wxyc_assets.eligible_library IS
  'Libraries whose identity is to be asked. Exactly stale_after old is fresh; exactly retry_after ago is too soon; recheck takes every library with a marker.';

-- Six artist-level ids a library, as LML gave them together: a source row that an earlier answer left behind is not shown.
-- Bound to the station's schema by name, so that it reads the same with any search_path; a function below the view, so that
-- it can be made before the station's tables are.
DO $do$
BEGIN
  EXECUTE format($ddl$
    CREATE FUNCTION wxyc_assets.library_artist_ids() RETURNS TABLE (
      library_id integer, discogs_artist_id text, musicbrainz_artist_id text, wikidata_qid text,
      spotify_artist_id text, apple_music_artist_id text, bandcamp_id text, last_verified_at timestamptz
    ) LANGUAGE sql STABLE PARALLEL SAFE AS $body$
      SELECT i.library_id, s.discogs, s.musicbrainz, i.wikidata_qid, i.spotify_id, i.apple_music_id, s.bandcamp,
        i.last_verified_at
      FROM %1$I.library_identity i
      LEFT JOIN LATERAL (
        SELECT max(x.external_id) FILTER (WHERE x.source = 'discogs') AS discogs,
          max(x.external_id) FILTER (WHERE x.source = 'musicbrainz') AS musicbrainz,
          max(x.external_id) FILTER (WHERE x.source = 'bandcamp') AS bandcamp
        FROM %1$I.library_identity_source x
        WHERE x.library_id = i.library_id AND x.last_verified_at >= i.last_verified_at
      ) s ON true
    $body$
  $ddl$, current_setting('wxyc_assets.station_schema'));
END
$do$;
CREATE VIEW wxyc_assets.library_artist_id AS SELECT * FROM wxyc_assets.library_artist_ids();
COMMENT ON VIEW wxyc_assets.library_artist_id IS
  'All six artist-level ids of each library''s identity; library_identity itself has columns for three of them.';
