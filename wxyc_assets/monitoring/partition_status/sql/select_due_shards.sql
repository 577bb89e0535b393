-- select_due_shards: the shards that hold libraries whose identity is due, and since when the first of them is.
--
-- Parameters
--   shard_count                int
--   stale_after, retry_after   interval
--   include_null_canonical     boolean
--
-- An identity is due when it becomes stale. A library without an identity is due when it was added or canonicalised. A
-- library that is quarantined, or that LML did not know, is due when its wait ends.
SELECT mod(d.library_id, %(shard_count)s)::text AS partition_key, min(d.due_at) AS due_since
FROM (
  SELECT e.library_id,
    GREATEST(
      CASE WHEN e.last_verified_at IS NULL THEN GREATEST(l.add_date, l.canonical_entity_resolved_at)
        ELSE e.last_verified_at + %(stale_after)s END,
      e.unresolved_attempted_at + %(retry_after)s,
      (SELECT max(q.wait_until) FROM wxyc_assets.quarantine q
        WHERE q.asset = 'library_identity' AND q.input_id = e.library_id)) AS due_at
  FROM wxyc_assets.eligible_library(now(), %(stale_after)s, %(retry_after)s, %(include_null_canonical)s, false) e
  JOIN library l ON l.id = e.library_id
) d
GROUP BY 1
