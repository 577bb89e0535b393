-- hold_alert: the open alert of this fingerprint says how a condition stands that holds now; each partition that has come to it
-- since it was last looked at is one more occurrence.
--
-- Parameters
--   fingerprint, asset, source, kind, message   text
--   severity                                    text         warning | error; an open alert keeps the worse
--   details                                     jsonb
--   partitions                                  text[]       those that the condition holds for
--   at                                          timestamptz
INSERT INTO wxyc_assets.alert AS a (
  fingerprint, asset, source, kind, severity, message, details, partitions, occurrences, first_seen_at, last_seen_at)
VALUES (
  %(fingerprint)s, %(asset)s, %(source)s, %(kind)s, %(severity)s, %(message)s, %(details)s, %(partitions)s::text[],
  GREATEST(1, cardinality(%(partitions)s::text[])), %(at)s, %(at)s)
ON CONFLICT (fingerprint) WHERE closed_at IS NULL DO UPDATE SET
  severity = CASE WHEN a.severity = 'error' THEN a.severity ELSE EXCLUDED.severity END,
  message = EXCLUDED.message,
  details = EXCLUDED.details,
  occurrences = a.occurrences
    + (SELECT count(*) FROM unnest(EXCLUDED.partitions) AS p (key) WHERE key <> ALL (a.partitions))::int,
  partitions = EXCLUDED.partitions,
  last_seen_at = GREATEST(a.last_seen_at, EXCLUDED.last_seen_at)
