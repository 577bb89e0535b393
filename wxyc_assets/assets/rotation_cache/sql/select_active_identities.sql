-- select_active_identities: the distinct identities of the rotation that is active today (UTC), by ascending id. A row whose
-- kill date is today is no longer active. Identities that LML refused three times in a row rest.
SELECT DISTINCT lml_identity_id
FROM rotation
WHERE (kill_date IS NULL OR kill_date > now()::date) AND lml_identity_id IS NOT NULL
  AND lml_identity_id NOT IN (
    SELECT input_id FROM wxyc_assets.quarantine WHERE asset = 'rotation_cache' AND wait_until > now())
ORDER BY lml_identity_id
