-- release_lock: this session no longer holds the unit.
--
-- Parameters
--   unit   text   e.g. rated_usage/2026-11-22-14:00
SELECT pg_advisory_unlock(hashtextextended('wxyc_assets/' || %(unit)s::text, 0))
