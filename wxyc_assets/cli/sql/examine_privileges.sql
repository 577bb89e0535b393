-- examine_privileges: for each table (and the sequence of the history) of the station that assets use, whether it is there and which privileges this role lacks.
--
-- Parameters
--   station_schema   text
WITH needs (table_name, privileges) AS (
  VALUES
    ('library', ARRAY['SELECT', 'UPDATE (unresolved_attempted_at)']),
    ('artists', ARRAY['SELECT']),
    ('flowsheet', ARRAY['SELECT', 'UPDATE (metadata_status)', 'UPDATE (metadata_attempt_at)']),
    ('flowsheet_watermark', ARRAY['SELECT', 'UPDATE']),
    ('album_metadata', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('library_watermark', ARRAY['SELECT', 'UPDATE']),
    ('rotation', ARRAY['SELECT', 'UPDATE (lml_identity_id)']),
    ('library_identity', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('library_identity_source', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('library_identity_history', ARRAY['INSERT']),
    ('library_identity_history_history_id_seq', ARRAY['USAGE'])
), found AS (
  SELECT n.table_name, n.privileges,
    to_regclass(format('%%I.%%I', %(station_schema)s::text, n.table_name)) AS relation
  FROM needs n
)
SELECT f.table_name, f.relation IS NOT NULL AS present,
  CASE WHEN f.relation IS NOT NULL THEN ARRAY(
    SELECT p FROM unnest(f.privileges) AS p
    WHERE NOT CASE
      WHEN p = 'USAGE' THEN has_sequence_privilege(f.relation, p)
      WHEN p LIKE 'UPDATE (%%' THEN has_column_privilege(f.relation, trim(BOTH '()' FROM substr(p, 8)), 'UPDATE')
      ELSE has_table_privilege(f.relation, p) END)
  END AS lacks
FROM found f
ORDER BY f.table_name
