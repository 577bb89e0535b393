-- upsert_condition: the open alert of this fingerprint describes a condition as it holds now. Each partition that the condition
-- did not hold for at the previous tick is one more occurrence.
--
-- Parameters
--   fingerprint, asset, source, kind, message   text
--   severity                                    text         warning | error; an open alert keeps the more severe one
--   details                                     jsonb
--   partitions                                  text[]       the partitions that the condition holds for
--   part_of                                     text         fingerprint of the alert that a new one is part of, if that is open
--   at                                          timestamptz
INSERT INTO wxyc_assets.alert AS a (
  fingerprint, asset, source, kind, severity, message, details, partitions, occurrences, part_of, first_seen_at, last_seen_at)
VALUES (
  %(fingerprint)s, %(asset)s, %(source)s, %(kind)s, %(severity)s, %(message)s, %(details)s, %(partitions)s::text[],
  GREATEST(1, cardinality(%(partitions)s::text[])),
  (SELECT h.alert_id FROM wxyc_assets.alert h WHERE h.fingerprint = %(part_of)s::text AND h.closed_at IS NULL),
  %(at)s, %(at)s)
ON CONFLICT (fingerprint) WHERE closed_at IS NULL DO UPDATE SET
  severity = CASE WHEN a.severity = 'error' THEN a.severity ELSE EXCLUDED.severity END,
  message = EXCLUDED.message,
  details = EXCLUDED.details,
  occurrences = a.occurrences
    + (SELECT count(*) FROM unnest(EXCLUDED.partitions) AS p (key) WHERE key <> ALL (a.partitions))::int,
  partitions = EXCLUDED.partitions,
  last_seen_at = GREATEST(a.last_seen_at, EXCLUDED.last_seen_at)
