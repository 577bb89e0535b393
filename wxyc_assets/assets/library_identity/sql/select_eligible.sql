-- select_eligible: the libraries of one shard, in one stretch of ids, whose identity needs asking.
--
-- Parameters
--   after_id, upto_id        int           the stretch, its first end left out
--   shard, shard_count       int           a library belongs to shard id modulo shard_count
--   as_of                    timestamptz   the instant that ages are measured at, fixed for a run
--   stale_after              interval      an identity older than this is asked again
--   retry_after              interval      an unresolved library rests this long
--   include_null_canonical   boolean       also libraries without a canonical entity
--   recheck                  boolean       every library with a marker instead
SELECT e.library_id, e.artist_name, e.album_title, e.legacy_release_id
FROM wxyc_assets.eligible_library(
  %(as_of)s, %(stale_after)s, %(retry_after)s, %(include_null_canonical)s, %(recheck)s) e
WHERE e.library_id > %(after_id)s AND e.library_id <= %(upto_id)s AND mod(e.library_id, %(shard_count)s) = %(shard)s
ORDER BY e.library_id
