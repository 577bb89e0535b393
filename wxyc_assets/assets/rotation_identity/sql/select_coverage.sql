-- select_coverage: how many rows are active (a kill date of today, in UTC, is killed), how many of them have a Discogs release,
-- how many of those have an identity, which per cent that is (null of nothing), and the first rows that have none.
--
-- Parameters
--   shown   int   how many of those to name
SELECT c.active, c.active_with_discogs, c.active_with_lml,
  round(100.0 * c.active_with_lml / NULLIF(c.active_with_discogs, 0), 2)::float8 AS resolvable_coverage_pct,
  c.missing[1:%(shown)s]
FROM (
  SELECT count(*) AS active,
    count(r.discogs_release_id) AS active_with_discogs,
    count(*) FILTER (WHERE r.discogs_release_id IS NOT NULL AND r.lml_identity_id IS NOT NULL) AS active_with_lml,
    COALESCE(
      array_agg(r.id ORDER BY r.id) FILTER (WHERE r.discogs_release_id IS NOT NULL AND r.lml_identity_id IS NULL), '{}'
    ) AS missing
  FROM rotation r
  WHERE r.kill_date IS NULL OR r.kill_date > CURRENT_DATE
) AS c
