-- release_inputs: inputs that were used have no failures in a row.
--
-- Parameters
--   asset      text
--   input_id   bigint[]
UPDATE wxyc_assets.quarantine
SET resolved_at = now(), wait_until = NULL
WHERE asset = %(asset)s AND input_id = ANY (%(input_id)s::bigint[]) AND resolved_at IS NULL
