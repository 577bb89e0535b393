-- select_billing_tables: for each table that rating uses, whether it exists, which privileges this role lacks, the key of the
-- index without which every rating reads the whole table (null if that index exists), and whether it has org_id.
--
-- Parameters
--   billing_schema   text
SELECT n.table_name, r.relation IS NOT NULL AS present,
  CASE WHEN r.relation IS NOT NULL THEN ARRAY(
    SELECT p FROM unnest(n.privileges) AS p WHERE NOT has_table_privilege(r.relation, p)
  ) END AS lacks,
  CASE WHEN NOT EXISTS (
    SELECT FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = r.relation AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'
      AND pg_get_indexdef(i.indexrelid, 1, true) = n.index_key
  ) THEN n.index_key END AS missing_index,
  EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.relation AND a.attname = 'org_id') AS has_org
FROM (
  VALUES
    ('billing_event', ARRAY['SELECT'], 'COALESCE(event_ts, created_at)'),
    ('rated_usage', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'], 'window_start')
) AS n (table_name, privileges, index_key)
CROSS JOIN LATERAL to_regclass(format('%%I.%%I', %(billing_schema)s::text, n.table_name)) AS r (relation)
ORDER BY n.table_name
