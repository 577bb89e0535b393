-- existing_columns: all columns of all tables in a schema, with their types as text.
--
-- Parameters
--   schema     text    the schema to read; no rows if it does not exist
SELECT relation.relname AS table_name, attribute.attname AS column_name,
    format_type(attribute.atttypid, attribute.atttypmod) AS column_type
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
WHERE namespace.nspname = %(schema)s AND relation.relkind IN ('r', 'p') AND attribute.attnum > 0
    AND NOT attribute.attisdropped
