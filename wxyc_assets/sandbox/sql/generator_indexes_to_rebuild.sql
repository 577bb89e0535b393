-- generator_rebuilt_indexes: the GIN indexes that are cheaper to build again than to keep up with the coming rows: when
-- there are many of those, and no more than four times as many in the table already. Besides, an index that grew row by
-- row leaves a long pending list, whose cleaning would hit some innocent later statement.
--
-- Parameters
--   tables     text[]    tables on the search_path
--   count      int       how many rows are coming
SELECT namespace.nspname, index.relname, pg_get_indexdef(index.oid)
FROM unnest(%(tables)s::regclass[]) AS loaded (oid)
JOIN pg_class AS relation ON relation.oid = loaded.oid
JOIN pg_index ON pg_index.indrelid = relation.oid
JOIN pg_class AS index ON index.oid = pg_index.indexrelid
JOIN pg_namespace AS namespace ON namespace.oid = index.relnamespace
JOIN pg_am ON pg_am.oid = index.relam
WHERE pg_am.amname = 'gin' AND %(count)s >= GREATEST(20000, relation.reltuples / 4)
ORDER BY index.relname
