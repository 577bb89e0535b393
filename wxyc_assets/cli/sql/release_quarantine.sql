-- release_quarantine: the next run asks about these inputs again, and counts their failures from the start.
--
-- Parameters (arrays of one length)
--   asset, kind   text[]
--   input_id      bigint[]
UPDATE wxyc_assets.quarantine q
SET resolved_at = clock_timestamp(), wait_until = NULL
FROM unnest(%(asset)s::text[], %(kind)s::text[], %(input_id)s::bigint[]) AS r (asset, kind, input_id)
WHERE q.asset = r.asset AND q.kind = r.kind AND q.input_id = r.input_id AND q.resolved_at IS NULL
  AND q.wait_until > clock_timestamp()
RETURNING q.input_id
