-- count_eligible: how many libraries of these shards are still eligible, one row for each shard that has any.
--
-- Parameters
--   shards                           int[]
--   shard_count                      int
--   as_of, stale_after, retry_after, include_null_canonical, recheck   as in select_eligible
--   upto_id                          int       the highest id when the run began
--
-- A library whose marker is newer than as_of was asked about since then: under recheck the marker alone does not show that. A
-- library that was added or canonicalised since then belongs to the next run, whether or not this run has read its id range.
SELECT mod(e.library_id, %(shard_count)s) AS shard, count(*) AS libraries
FROM wxyc_assets.eligible_library(
  %(as_of)s, %(stale_after)s, %(retry_after)s, %(include_null_canonical)s, %(recheck)s) e
WHERE mod(e.library_id, %(shard_count)s) = ANY (%(shards)s::int[]) AND e.library_id <= %(upto_id)s
  AND (e.unresolved_attempted_at IS NULL OR e.unresolved_attempted_at < %(as_of)s)
  AND NOT EXISTS (
    SELECT FROM library l
    WHERE l.id = e.library_id AND (l.add_date >= %(as_of)s OR l.canonical_entity_resolved_at >= %(as_of)s))
GROUP BY 1
