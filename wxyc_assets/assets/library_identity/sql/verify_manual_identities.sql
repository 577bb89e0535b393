-- verify_manual_identities: the manual identities of these libraries keep all that the librarian decided and say that LML was asked now.
--
-- Parameters
--   library_id   int[]   the libraries
UPDATE library_identity
SET last_verified_at = now()
WHERE library_id = ANY(%(library_id)s) AND method = 'manual'
