-- select_stale_shards: for every shard with eligible libraries, how many they are, a digest of their ids and states, and
-- whether a run holds the shard's lock.
--
-- Parameters
--   shard_count                          int
--   stale_after, retry_after             interval
--   include_null_canonical               boolean
--
-- The digest changes when a library becomes eligible, stops being eligible, or was asked about in between, and at no other
-- time.
WITH eligible AS (
  SELECT mod(e.library_id, %(shard_count)s) AS shard,
    hashint8extended(
      e.library_id,
      COALESCE(hashfloat8extended(extract(epoch FROM e.last_verified_at)::float8, 1), 0)
        # COALESCE(hashfloat8extended(extract(epoch FROM e.unresolved_attempted_at)::float8, 2), 0)) AS hash
  FROM wxyc_assets.eligible_library(
    now(), %(stale_after)s, %(retry_after)s, %(include_null_canonical)s, false) e
), shards AS (
  SELECT shard, count(*) AS libraries, bit_xor(hash) AS xor_hash
  FROM eligible
  GROUP BY shard
)
SELECT s.shard, s.libraries, format('%%s/%%s', s.libraries, s.xor_hash) AS digest,
  EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint)
        = hashtextextended('wxyc_assets/library_identity/' || s.shard, 0)) AS locked
FROM shards s
ORDER BY s.shard
