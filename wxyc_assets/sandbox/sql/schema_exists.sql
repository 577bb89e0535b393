-- schema_exists: one row if the schema exists, so that CREATE SCHEMA and its privilege are needed only when it does not.
--
-- Parameters
--   schema     text
SELECT 1 FROM pg_namespace WHERE nspname = %(schema)s
