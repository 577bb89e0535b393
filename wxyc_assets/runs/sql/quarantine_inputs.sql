-- quarantine_inputs: every rejected input has a row that counts its failures of one kind in a row (a failure of another kind
-- restarts the count). From the third failure on, the input rests for a day.
--
-- Parameters (arrays of one length; an input may occur once)
--   asset, run_id    text
--   input_id         bigint[]    the input, or the first input of a rejected batch
--   kind, reason     text[]
--   payload_digest   text[]      SHA-256, hex
--   rests            boolean[]   false if the input did not cause the failure: it never rests
WITH rejected AS (
  SELECT * FROM unnest(
    %(input_id)s::bigint[], %(kind)s::text[], %(reason)s::text[], %(payload_digest)s::text[], %(rests)s::boolean[]
  ) AS r (input_id, kind, reason, payload_digest, rests)
), other_kinds AS (
  UPDATE wxyc_assets.quarantine q SET resolved_at = now(), wait_until = NULL
  FROM rejected r
  WHERE q.asset = %(asset)s AND q.input_id = r.input_id AND q.kind <> r.kind AND q.resolved_at IS NULL AND r.rests
)
INSERT INTO wxyc_assets.quarantine AS q (asset, input_id, kind, reason, payload_digest, run_id)
SELECT %(asset)s, r.input_id, r.kind, r.reason, r.payload_digest, %(run_id)s FROM rejected r
ON CONFLICT (asset, input_id, kind) DO UPDATE SET
  failures = CASE WHEN q.resolved_at IS NULL THEN q.failures + 1 ELSE 1 END,
  wait_until = CASE
    WHEN q.resolved_at IS NULL AND q.failures >= 2
      AND (SELECT r.rests FROM rejected r WHERE r.input_id = EXCLUDED.input_id AND r.kind = EXCLUDED.kind)
    THEN now() + interval '1 day' END,
  reason = EXCLUDED.reason,
  payload_digest = EXCLUDED.payload_digest,
  run_id = EXCLUDED.run_id,
  last_seen_at = now(),
  resolved_at = NULL
