-- raise_alert: there is one open alert of this fingerprint, and it has been seen once more.
--
-- Parameters
--   fingerprint, asset, source, kind   text
--   severity                           text         warning | error; an open alert keeps the worse
--   message                            text
--   details                            jsonb
--   partitions                         text[]       what has to recover, beside what already has to
--   run_id                             text         null: no run
--   part_of                            text         fingerprint of the open alert that tells of this one; null: none does
--   at                                 timestamptz
INSERT INTO wxyc_assets.alert AS a (
  fingerprint, asset, source, kind, severity, message, details, partitions, run_id, part_of, first_seen_at, last_seen_at)
VALUES (
  %(fingerprint)s, %(asset)s, %(source)s, %(kind)s, %(severity)s, %(message)s, %(details)s, %(partitions)s::text[], %(run_id)s,
  (SELECT h.alert_id FROM wxyc_assets.alert h WHERE h.fingerprint = %(part_of)s::text AND h.closed_at IS NULL),
  %(at)s, %(at)s)
ON CONFLICT (fingerprint) WHERE closed_at IS NULL DO UPDATE SET
  severity = CASE WHEN a.severity = 'error' THEN a.severity ELSE EXCLUDED.severity END,
  message = EXCLUDED.message,
  details = EXCLUDED.details,
  partitions = ARRAY(SELECT DISTINCT key FROM unnest(a.partitions || EXCLUDED.partitions) AS p (key) ORDER BY key),
  run_id = EXCLUDED.run_id,
  occurrences = a.occurrences + 1,
  first_seen_at = LEAST(a.first_seen_at, EXCLUDED.first_seen_at),
  last_seen_at = GREATEST(a.last_seen_at, EXCLUDED.last_seen_at)
