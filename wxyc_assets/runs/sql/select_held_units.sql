-- select_held_units: the units among these that any session holds.
--
-- Parameters
--   units   text[]
SELECT u.unit
FROM unnest(%(units)s::text[]) AS u (unit)
WHERE EXISTS (
  SELECT FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('wxyc_assets/' || u.unit, 0))
