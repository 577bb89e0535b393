-- take_lock: this session holds the unit until the session ends; the statement fails after lock_timeout.
--
-- Parameters
--   unit   text   e.g. library_identity/3, run/<run id>
SELECT pg_advisory_lock(hashtextextended('wxyc_assets/' || %(unit)s::text, 0))
