-- select_writers_of_flowsheet: what the plays show of other writers in the last day: a sign, how many plays show it, and how many
-- seconds ago the last one was written. Reads at most row_limit plays of each of three indexes.
--
-- Parameters
--   began, ended   timestamptz[]   from when to when each run of flowsheet_enrichment wrote
--   row_limit      int
WITH changed AS (
  SELECT f.metadata_status, f.updated_at
  FROM flowsheet f
  WHERE f.updated_at > now() - interval '1 day'
  ORDER BY f.updated_at DESC LIMIT %(row_limit)s
), sign AS (
  SELECT 'claimed' AS name, c.enriching_since AS at
  FROM (
    SELECT f.enriching_since FROM flowsheet f
    WHERE f.metadata_status = 'enriching' AND f.enriching_since > now() - interval '1 day'
    ORDER BY f.enriching_since DESC LIMIT %(row_limit)s) c
  UNION ALL
  SELECT 'no_match', c.updated_at FROM changed c WHERE c.metadata_status = 'enriched_no_match'
  UNION ALL
  SELECT 'match', c.updated_at FROM changed c
  WHERE c.metadata_status = 'enriched_match'
    AND NOT EXISTS (
      SELECT FROM unnest(%(began)s::timestamptz[], %(ended)s::timestamptz[]) AS w (began_at, ended_at)
      WHERE c.updated_at BETWEEN w.began_at AND w.ended_at)
  UNION ALL
  SELECT 'rechecked', c.no_match_recheck_attempted_at
  FROM (
    SELECT f.no_match_recheck_attempted_at FROM flowsheet f
    WHERE f.metadata_status = 'enriched_no_match' AND f.entry_type = 'track' AND f.artist_name IS NOT NULL
      AND f.no_match_recheck_attempted_at > now() - interval '1 day'
    ORDER BY f.no_match_recheck_attempted_at DESC LIMIT %(row_limit)s) c
)
SELECT s.name, count(*) AS rows, extract(epoch FROM clock_timestamp() - max(s.at))::float8 AS age_s
FROM sign s
GROUP BY s.name
