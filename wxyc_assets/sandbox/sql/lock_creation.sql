-- lock_creation: one creation at a time in this database, until the transaction ends; two at once would collide on names.
SELECT pg_advisory_xact_lock(hashtextextended('wxyc sandbox station', 0))
