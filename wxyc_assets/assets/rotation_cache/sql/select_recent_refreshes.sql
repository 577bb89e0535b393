-- select_recent_refreshes: the counts of all recent runs together, and the first identities that LML did not know when it was
-- last asked about them.
--
-- Parameters
--   period    interval   how far to look back, from now
--   max_ids   int        how many of the unknown identities to return at most
SELECT
  COALESCE(sum((counters->>'identities_scanned')::int), 0)::int AS identities_scanned,
  COALESCE(sum((counters->>'lml_error')::int), 0)::int AS lml_error,
  COALESCE(sum((counters->>'not_found')::int), 0)::int AS not_found,
  ARRAY(
    SELECT input_id
    FROM wxyc_assets.quarantine
    WHERE asset = 'rotation_cache' AND kind = 'not_found' AND resolved_at IS NULL
      AND last_seen_at > now() - %(period)s::interval
    ORDER BY input_id
    LIMIT %(max_ids)s
  ) AS stale_ids
FROM wxyc_assets.tally
WHERE asset = 'rotation_cache' AND updated_at > now() - %(period)s::interval
