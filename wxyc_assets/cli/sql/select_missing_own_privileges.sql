-- select_missing_own_privileges: the privileges on our own tables that this role lacks, one row each.
SELECT c.relname, p.privilege
FROM pg_class c
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS p (privilege)
WHERE c.relnamespace = to_regnamespace('wxyc_assets') AND c.relkind = 'r' AND c.relname <> 'alembic_version'
  AND NOT has_table_privilege(c.oid, p.privilege)
ORDER BY c.relname, p.privilege
