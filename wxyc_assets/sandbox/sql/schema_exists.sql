-- schema_exists: one row if the schema exists. If it does, creating a station needs no privilege to create schemas.
--
-- Parameters
--   schema     text
SELECT 1 FROM pg_namespace WHERE nspname = %(schema)s
