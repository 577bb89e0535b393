-- select_quarantine: the inputs in quarantine that no run has used since, those that rest the longest first.
--
-- Parameters
--   asset       text       null: all
--   kind        text       null: all
--   input_ids   bigint[]   null: all
SELECT q.asset, q.kind, q.input_id, q.reason, q.failures, q.first_seen_at, q.last_seen_at, q.run_id,
  CASE WHEN q.wait_until > clock_timestamp() THEN q.wait_until END AS rests_until
FROM wxyc_assets.quarantine q
WHERE q.resolved_at IS NULL
  AND (%(asset)s::text IS NULL OR q.asset = %(asset)s::text)
  AND (%(kind)s::text IS NULL OR q.kind = %(kind)s::text)
  AND (%(input_ids)s::bigint[] IS NULL OR q.input_id = ANY (%(input_ids)s::bigint[]))
ORDER BY rests_until DESC NULLS LAST, q.asset, q.kind, q.input_id
