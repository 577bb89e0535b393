-- select_station_tables: for each table and sequence of the station that assets use, whether it exists and which privileges this
-- role lacks.
--
-- Parameters
--   station_schema   text
--   relations        text[]   tables and sequences, each once for every privilege that is needed on it
--   privileges       text[]   the privilege on the relation at the same position: of a table, UPDATE (column), or USAGE of a sequence
WITH needs AS (
  SELECT n.relation_name, array_agg(n.privilege ORDER BY n.position) AS privileges
  FROM unnest(%(relations)s::text[], %(privileges)s::text[]) WITH ORDINALITY AS n (relation_name, privilege, position)
  GROUP BY n.relation_name
), found AS (
  SELECT n.relation_name, n.privileges,
    to_regclass(format('%%I.%%I', %(station_schema)s::text, n.relation_name)) AS relation
  FROM needs n
)
SELECT f.relation_name, f.relation IS NOT NULL AS present,
  CASE WHEN f.relation IS NOT NULL THEN ARRAY(
    SELECT p FROM unnest(f.privileges) AS p
    WHERE NOT CASE
      WHEN p = 'USAGE' THEN has_sequence_privilege(f.relation, p)
      WHEN p LIKE 'UPDATE (%%' THEN has_column_privilege(f.relation, trim(BOTH '()' FROM substr(p, 8)), 'UPDATE')
      ELSE has_table_privilege(f.relation, p) END)
  END AS lacks
FROM found f
ORDER BY f.relation_name
