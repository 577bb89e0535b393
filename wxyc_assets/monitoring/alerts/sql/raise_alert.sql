-- raise_alert: there is one open alert of this fingerprint, with one more occurrence. What it says is what the latest run said.
-- An alert that is part of another one stands on its own as soon as it has another cause.
--
-- Parameters
--   fingerprint, asset, source, kind   text
--   severity                           text         warning | error; an open alert keeps the more severe one
--   message                            text
--   details                            jsonb
--   partitions                         text[]       what has to recover, added to what has to recover already
--   run_id                             text         null: no run
--   part_of                            text         fingerprint of the open alert whose event names this one; null: none
--   at                                 timestamptz  when the run ended, by its host's clock
--   event_id                           bigint       storage id of the event with which it ended
INSERT INTO wxyc_assets.alert AS a (
  fingerprint, asset, source, kind, severity, message, details, partitions, run_id, part_of, first_seen_at, last_seen_at,
  last_event_id)
VALUES (
  %(fingerprint)s, %(asset)s, %(source)s, %(kind)s, %(severity)s, %(message)s, %(details)s, %(partitions)s::text[], %(run_id)s,
  (SELECT h.alert_id FROM wxyc_assets.alert h WHERE h.fingerprint = %(part_of)s::text AND h.closed_at IS NULL),
  LEAST(%(at)s, clock_timestamp()), LEAST(%(at)s, clock_timestamp()), %(event_id)s::bigint)
ON CONFLICT (fingerprint) WHERE closed_at IS NULL DO UPDATE SET
  severity = CASE WHEN a.severity = 'error' THEN a.severity ELSE EXCLUDED.severity END,
  message = CASE WHEN EXCLUDED.last_event_id >= a.last_event_id THEN EXCLUDED.message ELSE a.message END,
  details = CASE WHEN EXCLUDED.last_event_id >= a.last_event_id THEN EXCLUDED.details ELSE a.details END || CASE
    WHEN EXCLUDED.details ? 'by_partition' OR a.details ? 'by_partition' THEN jsonb_build_object('by_partition',
      COALESCE(a.details -> 'by_partition', '{}') || COALESCE(EXCLUDED.details -> 'by_partition', '{}'))
    ELSE '{}' END,
  run_id = CASE WHEN EXCLUDED.last_event_id >= a.last_event_id THEN EXCLUDED.run_id ELSE a.run_id END,
  part_of = CASE WHEN a.part_of IS NOT NULL THEN EXCLUDED.part_of END,
  partitions = ARRAY(SELECT DISTINCT key FROM unnest(a.partitions || EXCLUDED.partitions) AS p (key) ORDER BY key),
  occurrences = a.occurrences + 1,
  first_seen_at = LEAST(a.first_seen_at, EXCLUDED.first_seen_at),
  last_seen_at = GREATEST(a.last_seen_at, EXCLUDED.last_seen_at),
  last_event_id = GREATEST(a.last_event_id, EXCLUDED.last_event_id)
