-- select_active_identities: the identities of the rotation that is active today (UTC), each once, by ascending id. A row that is
-- killed today is not active any more.
SELECT DISTINCT lml_identity_id
FROM rotation
WHERE (kill_date IS NULL OR kill_date > CURRENT_DATE) AND lml_identity_id IS NOT NULL
ORDER BY lml_identity_id
