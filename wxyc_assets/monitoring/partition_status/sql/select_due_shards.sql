-- select_overdue_shards: the shards that hold libraries whose identity has been due for longer than some patience, and since when
-- the first of them is.
--
-- Parameters
--   shard_count                int
--   stale_after, retry_after   interval
--   include_null_canonical     boolean
--   patience                   interval   how long whoever asks for stale shards may take
--
-- Due is an identity when it becomes stale; a library without one when it came or was canonicalised; one that rests, after that.
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
WHERE d.due_at < now() - %(patience)s::interval
GROUP BY 1
