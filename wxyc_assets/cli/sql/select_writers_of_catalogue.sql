-- select_writers_of_catalogue: what the newest rows of library and rotation show of other writers in the last day: a sign, how many
-- rows show it, and how many seconds ago the last one was written. Reads at most row_limit rows of each table, by its key.
--
-- Parameters
--   row_limit   int
WITH release AS (
  SELECT l.add_date, l.canonical_entity_resolved_at FROM library l ORDER BY l.id DESC LIMIT %(row_limit)s
), rotated AS (
  SELECT r.add_date, r.discogs_release_id_resolve_attempted_at AS attempted_at
  FROM rotation r ORDER BY r.id DESC LIMIT %(row_limit)s
), sign AS (
  SELECT 'imported' AS name, r.add_date AS at FROM release r
  UNION ALL
  SELECT 'canonicalised', r.canonical_entity_resolved_at FROM release r
  UNION ALL
  SELECT 'release_id', r.attempted_at FROM rotated r
  UNION ALL
  SELECT 'rotated', r.add_date::timestamptz FROM rotated r
)
SELECT s.name, count(*) AS rows, extract(epoch FROM clock_timestamp() - max(s.at))::float8 AS age_s
FROM sign s
WHERE s.at > now() - interval '1 day' AND s.at <= now()
GROUP BY s.name
