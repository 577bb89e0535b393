-- select_database_exists: whether the server has a database of this name.
--
-- Parameters
--   name  text
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %(name)s)
