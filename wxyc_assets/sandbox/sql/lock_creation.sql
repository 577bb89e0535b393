-- lock_creation: only one transaction at a time creates a station in this database; two at once would collide on names.
SELECT pg_advisory_xact_lock(hashtextextended('wxyc sandbox station', 0))
