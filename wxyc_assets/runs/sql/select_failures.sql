-- select_failures: why one input of an asset could not be used, the latest kind first.
--
-- Parameters
--   asset      text
--   input_id   bigint
SELECT q.kind, q.reason, q.failures, q.payload_digest, q.run_id, q.first_seen_at, q.last_seen_at, q.wait_until, q.resolved_at
FROM wxyc_assets.quarantine q
WHERE q.asset = %(asset)s AND q.input_id = %(input_id)s::bigint
ORDER BY q.last_seen_at DESC, q.kind
