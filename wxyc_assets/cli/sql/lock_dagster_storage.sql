-- lock_dagster_storage: only one transaction at a time opens Dagster's storage here; on an empty database two at once would both
-- create its tables, and one of them would fail.
SELECT pg_advisory_xact_lock(hashtextextended('wxyc dagster storage', 0))
