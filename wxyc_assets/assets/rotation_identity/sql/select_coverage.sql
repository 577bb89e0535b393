-- select_coverage: the number of active rows (a row with today's UTC date as kill date is not active), how many of them have a
-- Discogs release, how many of those have an identity, their percentage (null if no row has a release), and the ids of the
-- first rows without one.
--
-- Parameters
--   max_missing   int   how many of those ids to return
SELECT c.active, c.active_with_discogs, c.active_with_lml,
  round(100.0 * c.active_with_lml / NULLIF(c.active_with_discogs, 0), 2)::float8 AS resolvable_coverage_pct,
  c.missing[1:%(max_missing)s]
FROM (
  SELECT count(*) AS active,
    count(r.discogs_release_id) AS active_with_discogs,
    count(*) FILTER (WHERE r.discogs_release_id IS NOT NULL AND r.lml_identity_id IS NOT NULL) AS active_with_lml,
    COALESCE(
      array_agg(r.id ORDER BY r.id) FILTER (WHERE r.discogs_release_id IS NOT NULL AND r.lml_identity_id IS NULL), '{}'
    ) AS missing
  FROM rotation r
  WHERE r.kill_date IS NULL OR r.kill_date > now()::date
) AS c
