-- select_writers_of_library_identity: what the identities show of other writers in the last day: a sign, how many identities show
-- it, and how many seconds ago the last one was written. The table has no index by time: it is read once, as the sensor
-- stale_identities does every five minutes, and the session's statement_timeout bounds it.
--
-- Parameters
--   began, ended   timestamptz[]   from when to when each run of library_identity wrote
--   notes          text            what library_identity writes into notes, as its predecessor did
SELECT s.name, count(*) AS rows, extract(epoch FROM clock_timestamp() - max(s.last_verified_at))::float8 AS age_s
FROM (
  SELECT i.last_verified_at,
    CASE WHEN i.method = 'manual' THEN 'manual' WHEN i.notes = %(notes)s THEN 'identity' ELSE 'other_identity' END AS name
  FROM library_identity i
  WHERE i.last_verified_at > now() - interval '1 day'
    AND (i.method = 'manual' OR i.notes IS DISTINCT FROM %(notes)s
      OR NOT EXISTS (
        SELECT FROM unnest(%(began)s::timestamptz[], %(ended)s::timestamptz[]) AS w (began_at, ended_at)
        WHERE i.last_verified_at BETWEEN w.began_at AND w.ended_at))
) s
GROUP BY s.name
