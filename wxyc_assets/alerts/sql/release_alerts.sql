-- release_alerts: the open alerts of the watch's kinds are those of the conditions that hold; all others are closed.
--
-- Parameters
--   holding   text[]        fingerprints
--   at        timestamptz
UPDATE wxyc_assets.alert
SET closed_at = %(at)s, partitions = '{}'
WHERE closed_at IS NULL AND kind IN ('late', 'stale') AND fingerprint <> ALL (%(holding)s::text[])
