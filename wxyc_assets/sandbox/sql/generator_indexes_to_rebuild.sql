-- generator_indexes_to_rebuild: the GIN indexes that are cheaper to rebuild than to maintain during the load. That is so from
-- 20,000 new rows on, if the table holds at most four times as many. An index that grows row by row also leaves a long
-- pending list, and a later statement would pay for cleaning it.
--
-- Parameters
--   tables     text[]    tables on the search_path
--   count      int       number of rows to load
SELECT namespace.nspname, index.relname, pg_get_indexdef(index.oid)
FROM unnest(%(tables)s::regclass[]) AS loaded (oid)
JOIN pg_class AS relation ON relation.oid = loaded.oid
JOIN pg_index ON pg_index.indrelid = relation.oid
JOIN pg_class AS index ON index.oid = pg_index.indexrelid
JOIN pg_namespace AS namespace ON namespace.oid = index.relnamespace
JOIN pg_am ON pg_am.oid = index.relam
WHERE pg_am.amname = 'gin' AND %(count)s >= GREATEST(20000, relation.reltuples / 4)
ORDER BY index.relname
