-- close_ended_conditions: of the open alerts of the kinds late and stale about some assets, only those of the given conditions
-- remain; the others are closed. If one is part of another alert, its recovery counts as delivered.
--
-- Parameters
--   holding   text[]        fingerprints of the conditions that hold
--   assets    text[]
--   at        timestamptz
UPDATE wxyc_assets.alert
SET closed_at = %(at)s, partitions = '{}', closing_delivered_at = CASE WHEN part_of IS NOT NULL THEN %(at)s::timestamptz END
WHERE closed_at IS NULL AND kind IN ('late', 'stale') AND asset = ANY (%(assets)s::text[])
  AND fingerprint <> ALL (%(holding)s::text[])
