-- select_lock_holder: the session that holds the unit, by its name; no row if the unit is free.
--
-- Parameters
--   unit   text
SELECT COALESCE(NULLIF(a.application_name, ''), 'a session without a name')
  || ' (pid ' || l.pid || COALESCE(', from ' || host(a.client_addr), '') || ')'
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('wxyc_assets/' || %(unit)s::text, 0)
