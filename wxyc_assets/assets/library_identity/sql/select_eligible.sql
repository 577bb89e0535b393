-- select_eligible: the eligible libraries of one shard within one range of ids, by ascending id, and whether each is filed
-- under various artists: by its letters, or because it has track credits.
--
-- Parameters
--   after_id, upto_id        int           the range: after_id excluded, upto_id included
--   shard, shard_count       int           a library belongs to shard id modulo shard_count
--   as_of                    timestamptz   ages are measured at this instant; it is the same for the whole run
--   stale_after              interval      an identity older than this is stale
--   retry_after              interval      a library with a marker is not eligible for this long
--   include_null_canonical   boolean       also select libraries without a canonical entity
--   recheck                  boolean       select every library with a marker instead
SELECT e.library_id, e.artist_name, e.album_title, e.legacy_release_id,
  COALESCE(l.code_volume_letters, '') LIKE 'Z%%'
    OR EXISTS (SELECT FROM compilation_track_artist c WHERE c.library_id = e.library_id) AS is_va
FROM wxyc_assets.eligible_library(
  %(as_of)s, %(stale_after)s, %(retry_after)s, %(include_null_canonical)s, %(recheck)s) e
JOIN library l ON l.id = e.library_id
WHERE e.library_id > %(after_id)s AND e.library_id <= %(upto_id)s AND mod(e.library_id, %(shard_count)s) = %(shard)s
ORDER BY e.library_id
